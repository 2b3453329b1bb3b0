/* exceptions.h: what the C++ runtime keeps of each thread: the exceptions that are being handled, and how many are on their way.
 *
 * Greenlets that share a thread pointer share it, but each is in the middle of its own catch and destructors: so whoever is in one takes it along
 * when it is left. The layout is part of the ABI (Itanium C++ ABI: Exception Handling, 2.2.2, __cxa_eh_globals), and so the same for
 * libstdc++ and libc++abi. Invariant: between two greenlets of one thread pointer both words are zero. */
#ifndef GEV_CORE_EXCEPTIONS_H
#define GEV_CORE_EXCEPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct gev__exceptions {
	void *caught;
	unsigned uncaught;
};

/* Weak: NULL in a program without C++ where libgev is loaded. One that comes later, by dlopen, is not seen. */
extern struct gev__exceptions *__cxa_get_globals(void) __attribute__((weak));

/* The calling OS thread's, NULL if there is no C++. */
static inline struct gev__exceptions *gev__exceptions_here(void)
{
	return __cxa_get_globals ? __cxa_get_globals() : NULL;
}

static inline bool gev__exceptions_any(const struct gev__exceptions *e)
{
	return __builtin_expect(e != NULL, 0) && __builtin_expect(e->caught != NULL || e->uncaught, 0);
}

static inline struct gev__exceptions gev__exceptions_take(struct gev__exceptions *e)
{
	struct gev__exceptions own = *e;
	e->caught = NULL;
	e->uncaught = 0;
	return own;
}

#endif
