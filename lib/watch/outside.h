/* outside.h: the process seen from its own side door: memory that may not be there, files of /proc, descriptors of the program.
 *
 * The watcher's thread has a descriptor table of its own (thread.c). So it calls the kernel by gev__sys and raw system calls only: a shim that
 * keeps books of descriptors by number must not hear of these. */
#ifndef GEV_WATCH_OUTSIDE_H
#define GEV_WATCH_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* Copies up to n bytes from addr, page by page as far as there is memory. How many; 0: none. */
size_t gev__peek(const void *addr, void *to, size_t n);

/* The beginning of a file, as a string. False: it cannot be read. */
bool gev__slurp(const char *path, char *to, size_t room);

/* All of it, for the caller to free; NULL: it cannot be read. */
char *gev__slurp_all(const char *path, size_t *n);

/* A copy of the program's descriptor in the watcher's table; -1. To be closed at once: a copy keeps a connection open. */
int gev__borrow_fd(int fd);

/* The clock of an OS thread's CPU time. */
static inline clockid_t gev__cpu_clock(pid_t tid)
{
	/* What pthread_getcpuclockid makes of a thread's number (Linux, include/linux/posix-timers_types.h): its complement, and three low bits for
	 * "the scheduler's clock, of one thread". */
	return (clockid_t)((~(unsigned)tid << 3) | 6);
}

/* How many OS threads the process has; 0: not known. */
size_t gev__os_threads(void);

/* Writes all of it to the program's standard error. */
void gev__say_all(const char *text, size_t n);

#endif
