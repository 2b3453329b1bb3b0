/* running.h: what a thread that runs is doing just now: it cannot be read off its control block. */
#ifndef GEV_WATCH_RUNNING_H
#define GEV_WATCH_RUNNING_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/watch/symbol.h"

struct gev__doing {
	bool known;   /* stand is valid, until the next call */
	long syscall; /* the number of the system call in which it waits; -1: none, it computes */
	struct gev__stand stand;
};

/* Looks at the OS thread. One that sits in a system call is not disturbed: of its registers only two are known then. One that computes is held
 * still by a signal while its stack is copied. */
void gev__doing(pid_t tid, struct gev__doing *r);

/* "read"; NULL: a number without a name. */
const char *gev__syscall_name(long number);

#endif
