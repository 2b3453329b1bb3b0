/* overflow.h: a greenlet that runs over the end of its stack is named before the process ends.
 *
 * The guard turns it into SIGSEGV. Where the program leaves that signal at its default, a handler of ours says who it was and lets the default go on:
 * ending, status and core are what they would be without us. A program that handles SIGSEGV itself, before or after, is not disturbed. */
#ifndef GEV_CORE_OVERFLOW_H
#define GEV_CORE_OVERFLOW_H

#include <stdbool.h>

struct gev__hub;

/* At a hub's birth: the handler, once a process, and an alternate stack for this OS thread if it has none (the greenlet's own has no room left). What
 * cannot be had is left out. */
void gev__overflow_watch(struct gev__hub *h);
/* At its end. */
void gev__overflow_unwatch(struct gev__hub *h);

/* Whoever handles signals for the program (a shim) calls gev__overflow_tell himself: from now on nothing is installed. */
void gev__overflow_leave_to_others(void);

/* Whether that fault is the running greenlet's stack overflow; if so, it has been said. `siginfo` (a siginfo_t) and `context` are the
 * handler's second and third argument. Async-signal-safe. */
bool gev__overflow_tell(const void *siginfo, const void *context);

#endif
