/* offsets.h: where in a context that does not run the words lie from which its stack is unwound. For debuggers, which read it from outside. */
#ifndef GEV_CONTEXT_OFFSETS_H
#define GEV_CONTEXT_OFFSETS_H

#include <stddef.h>

#include "lib/context/context.h"

#ifndef GEV_CONTEXT_UCONTEXT
#define GEV__OFFSET_SP offsetof(struct gev__context, sp)
#define GEV__OFFSET_FP offsetof(struct gev__context, fp)
#define GEV__OFFSET_PC offsetof(struct gev__context, pc)
#elif defined(__x86_64__)
#define GEV__OFFSET_SP offsetof(struct gev__context, uc.uc_mcontext.gregs[REG_RSP])
#define GEV__OFFSET_FP offsetof(struct gev__context, uc.uc_mcontext.gregs[REG_RBP])
#define GEV__OFFSET_PC offsetof(struct gev__context, uc.uc_mcontext.gregs[REG_RIP])
#elif defined(__aarch64__)
#define GEV__OFFSET_SP offsetof(struct gev__context, uc.uc_mcontext.sp)
#define GEV__OFFSET_FP offsetof(struct gev__context, uc.uc_mcontext.regs[29])
/* swapcontext leaves by the return address (glibc sysdeps/unix/sysv/linux/aarch64/setcontext.S). */
#define GEV__OFFSET_PC offsetof(struct gev__context, uc.uc_mcontext.pc)
#else
#error "how does this architecture's ucontext_t say where it stands?"
#endif

#endif
