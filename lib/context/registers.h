/* registers.h: what is read of a flow that was interrupted, in the ucontext_t of a signal handler, and what a flow that begins must be given; one
 * implementation an architecture. And by which numbers an unwinder knows these registers (DWARF; the processor's ABI). */
#ifndef GEV_CONTEXT_REGISTERS_H
#define GEV_CONTEXT_REGISTERS_H

#include <stdint.h>
#include <ucontext.h>

/* gev__nobody_called(), in the body of a function: from there on an unwinder that comes to it stops. */

#if defined(__x86_64__)

enum { GEV__DWARF_FP = 6, GEV__DWARF_SP = 7, GEV__DWARF_PC = 16 };

static inline uintptr_t gev__pc_of(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

static inline uintptr_t gev__sp_of(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
}

static inline uintptr_t gev__fp_of(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RBP];
}

static inline void gev__set_fp_of(ucontext_t *context, uintptr_t fp)
{
	context->uc_mcontext.gregs[REG_RBP] = (greg_t)fp;
}

#define gev__nobody_called() __asm__ volatile(".cfi_undefined rip" ::: "memory")

#elif defined(__aarch64__)

enum { GEV__DWARF_FP = 29, GEV__DWARF_SP = 31, GEV__DWARF_PC = -1 }; /* the last has none */

static inline uintptr_t gev__pc_of(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
}

static inline uintptr_t gev__sp_of(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.sp;
}

static inline uintptr_t gev__fp_of(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.regs[29];
}

static inline void gev__set_fp_of(ucontext_t *context, uintptr_t fp)
{
	context->uc_mcontext.regs[29] = fp;
}

#define gev__nobody_called() __asm__ volatile(".cfi_undefined x30" ::: "memory")

#else
#error "no registers for this architecture"
#endif

#endif
