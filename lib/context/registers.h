/* registers.h: what a signal handler reads of the flow it interrupted, and what a flow that begins must be given; one implementation an architecture. */
#ifndef GEV_CONTEXT_REGISTERS_H
#define GEV_CONTEXT_REGISTERS_H

#include <stdint.h>
#include <ucontext.h>

/* gev__nobody_called(), in the body of a function: from there on an unwinder that comes to it stops. */

#if defined(__x86_64__)

static inline uintptr_t gev__sp_of(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
}

static inline void gev__set_fp_of(ucontext_t *context, uintptr_t fp)
{
	context->uc_mcontext.gregs[REG_RBP] = (greg_t)fp;
}

#define gev__nobody_called() __asm__ volatile(".cfi_undefined rip" ::: "memory")

#elif defined(__aarch64__)

static inline uintptr_t gev__sp_of(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.sp;
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
