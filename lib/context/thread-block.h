/* thread-block.h: where libc keeps what it knows of a thread, seen from the thread pointer; one implementation an architecture.
 *
 *      x86-64       [ static TLS        ] tp -> [ struct pthread ]
 *      aarch64      [ struct pthread ] tp -> [ two words | static TLS ]
 *
 * (glibc: sysdeps/x86_64/nptl/tls.h, TLS_TCB_AT_TP; sysdeps/aarch64/nptl/tls.h, TLS_DTV_AT_TP.) */
#ifndef GEV_CONTEXT_THREAD_BLOCK_H
#define GEV_CONTEXT_THREAD_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/macros.h"

#if defined(__x86_64__)

/* The first words of struct pthread (tcbhead_t): part of the ABI between compiler and libc. */
struct gev__tcb_head {
	void *tcb;
	void *dtv;
	void *self;
	int multiple_threads;
	int gscope_flag;
	uintptr_t sysinfo;
	uintptr_t stack_guard;
	uintptr_t pointer_guard;
};

static inline char *gev__thread_block(const void *tp, size_t size)
{
	return (char *)(uintptr_t)tp;
}

/* What lies below a thread pointer, and what from there on: `size` bytes of struct pthread, and what the loader says that a thread needs. */
static inline void gev__thread_extent(size_t static_size, size_t align, size_t size, size_t *before, size_t *after)
{
	*before = static_size - size; /* the loader counts struct pthread in */
	*after = size;
}

/* As zeroed as the loader's own memory, before it lays out the rest. */
static inline void gev__thread_clear(void *tp, size_t size)
{
	memset(tp, 0, size);
}

static inline void gev__thread_head(void *tp, size_t size, const void *creator)
{
	struct gev__tcb_head *head = tp;
	const struct gev__tcb_head *from = creator;
	head->tcb = head->self = tp;
	head->multiple_threads = 1; /* the loader and older inline functions test it */
	head->stack_guard = from->stack_guard;
	head->pointer_guard = from->pointer_guard;
}

#elif defined(__aarch64__)

static inline char *gev__thread_block(const void *tp, size_t size)
{
	return (char *)(uintptr_t)tp - size;
}

static inline void gev__thread_extent(size_t static_size, size_t align, size_t size, size_t *before, size_t *after)
{
	*before = round_up(size, align);
	*after = static_size;
}

static inline void gev__thread_clear(void *tp, size_t size)
{
	enum { HEAD = 2 * sizeof(void *) };
	memset((char *)tp - size, 0, size + HEAD);
}

/* The guards are one for the process here. */
static inline void gev__thread_head(void *tp, size_t size, const void *creator)
{
	*(int *)(void *)gev__thread_block(tp, size) = 1; /* header.multiple_threads */
}

#else
#error "where does libc keep what it knows of a thread?"
#endif

#endif
