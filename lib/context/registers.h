/* registers.h: what a signal handler reads of the flow it interrupted, one implementation an architecture. */
#ifndef GEV_CONTEXT_REGISTERS_H
#define GEV_CONTEXT_REGISTERS_H

#include <stdint.h>
#include <ucontext.h>

#if defined(__x86_64__)

static inline uintptr_t gev__sp_of(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
}

#elif defined(__aarch64__)

static inline uintptr_t gev__sp_of(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.sp;
}

#else
#error "no registers for this architecture"
#endif

#endif
