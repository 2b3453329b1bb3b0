/* annotate.h: what the sanitizers and valgrind must be told when the stack changes, and nothing in a plain build.
 *
 * Order of one switch: before(from, to) on the old stack; the jump; after(to) on the new one. */
#ifndef GEV_CONTEXT_ANNOTATE_H
#define GEV_CONTEXT_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define GEV_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GEV_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define GEV_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GEV_TSAN 1
#endif
#endif

#ifdef GEV_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef GEV_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#ifdef GEV_VALGRIND
#include <valgrind/valgrind.h>
#endif

/* For code that must decide by it. */
#ifdef GEV_TSAN
#define GEV__TSAN 1
#else
#define GEV__TSAN 0
#endif

/* Whether anybody is told at all. */
#if defined(GEV_ASAN) || defined(GEV_TSAN) || defined(GEV_VALGRIND)
#define GEV__ANNOTATED 1
#else
#define GEV__ANNOTATED 0
#endif

/* Of no size in a plain build (a GNU extension): it lies in the hottest line of every greenlet. */
struct gev__annotation {
#ifdef GEV_ASAN
	const void *lo; /* of the stack; unknown for an adopted one until it is first left */
	size_t size;
	void *fake;
#endif
#ifdef GEV_TSAN
	void *fiber;
#endif
#ifdef GEV_VALGRIND
	unsigned id;
#endif
};

static inline void gev__note_adopt(struct gev__annotation *n)
{
#ifdef GEV_TSAN
	n->fiber = __tsan_get_current_fiber();
#endif
	(void)n;
}

static inline void gev__note_make(struct gev__annotation *n, void *lo, void *hi)
{
#ifdef GEV_ASAN
	n->lo = lo;
	n->size = (size_t)((char *)hi - (char *)lo);
	n->fake = NULL;
	/* The stack's last tenant left its red zones behind. */
	__asan_unpoison_memory_region(lo, n->size);
#endif
#ifdef GEV_TSAN
	n->fiber = __tsan_create_fiber(0);
#endif
#ifdef GEV_VALGRIND
	n->id = VALGRIND_STACK_REGISTER(lo, hi);
#endif
	(void)n, (void)lo, (void)hi;
}

static inline void gev__note_before(struct gev__annotation *from, struct gev__annotation *to, bool ends)
{
#ifdef GEV_ASAN
	__sanitizer_start_switch_fiber(ends ? NULL : &from->fake, to->lo, to->size);
#endif
#ifdef GEV_TSAN
	__tsan_switch_to_fiber(to->fiber, 0);
#endif
	(void)from, (void)to, (void)ends;
}

/* On the stack of `to`; `from` is who left for it (NULL at the start of a new context when nobody knows). */
static inline void gev__note_after(struct gev__annotation *to, struct gev__annotation *from)
{
#ifdef GEV_ASAN
	const void *lo;
	size_t size;
	__sanitizer_finish_switch_fiber(to->fake, &lo, &size);
	if (from && from->lo == NULL) {
		from->lo = lo;
		from->size = size;
	}
#endif
	(void)to, (void)from;
}

/* Memory that is not malloc's and holds the only pointers to some that is: thread control blocks. For the leak checker. */
static inline void gev__note_root(const void *at, size_t size)
{
#ifdef GEV_ASAN
	__lsan_register_root_region(at, size);
#endif
	(void)at, (void)size;
}

static inline void gev__note_no_root(const void *at, size_t size)
{
#ifdef GEV_ASAN
	__lsan_unregister_root_region(at, size);
#endif
	(void)at, (void)size;
}

/* The context will never run again, and does not run now. */
static inline void gev__note_gone(struct gev__annotation *n)
{
#ifdef GEV_TSAN
	__tsan_destroy_fiber(n->fiber);
#endif
#ifdef GEV_VALGRIND
	VALGRIND_STACK_DEREGISTER(n->id);
#endif
	(void)n;
}

#endif
