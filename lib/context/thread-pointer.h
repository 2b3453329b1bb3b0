/* thread-pointer.h: reading and writing the processor's thread pointer, one implementation an architecture.
 *
 * Precondition of writing: `tp` is a complete thread control block (identity.h), or 0x28(%fs) and errno lead nowhere. */
#ifndef GEV_CONTEXT_THREAD_POINTER_H
#define GEV_CONTEXT_THREAD_POINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/macros.h"

#if defined(__x86_64__)

#include <asm/prctl.h>
#include <sys/syscall.h>

/* Atomic: set by gev__tp_init, while another OS thread may look: whether WRFSBASE may be executed. AT_HWCAP2 bit 1, kernel 5.9 (Documentation/x86/x86_64/fsgs.rst). */
extern bool gev__tp_fsgsbase not_exported;

/* The thread control block's first word is its own address (x86-64 TLS ABI). RDFSBASE touches no memory, but takes a nanosecond, and the line is touched
 * anyway: programs with stack protection read 0x28(%fs) in every other function. With 8000 busy connections it makes no difference.
 * Volatile: between two calls the caller may have become another. */
static inline void *gev__tp_get(void)
{
	void *tp;
	__asm__ volatile("movq %%fs:0, %0" : "=r"(tp));
	return tp;
}

static inline __attribute__((always_inline)) void gev__tp_set(void *tp)
{
	if (__builtin_expect(__atomic_load_n(&gev__tp_fsgsbase, __ATOMIC_RELAXED), 1)) {
		__asm__ volatile("wrfsbase %0" ::"r"(tp) : "memory");
	} else {
		/* Not libc's syscall(): it would write errno of a thread that is neither here nor there. */
		long result;
		__asm__ volatile("syscall"
				 : "=a"(result)
				 : "0"((long)SYS_arch_prctl), "D"((long)ARCH_SET_FS), "S"(tp)
				 : "rcx", "r11", "memory");
		(void)result;
	}
}

/* How far from tp the address lies, on the side on which static thread-local storage is (ELF Handling For Thread-Local Storage: variant II). */
static inline uintptr_t gev__tp_distance(uintptr_t tp, uintptr_t address)
{
	return tp - address;
}

#elif defined(__aarch64__)

/* Variant I. */
static inline uintptr_t gev__tp_distance(uintptr_t tp, uintptr_t address)
{
	return address - tp;
}

static inline void *gev__tp_get(void)
{
	void *tp;
	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(tp));
	return tp;
}

static inline __attribute__((always_inline)) void gev__tp_set(void *tp)
{
	__asm__ volatile("msr tpidr_el0, %0" ::"r"(tp) : "memory");
}

#else
#error "no thread pointer for this architecture"
#endif

void gev__tp_init(void);

#endif
