/* offload.h: a few real threads for what cannot be made cooperative. Contracts: gev/offload.h. */
#ifndef GEV_IO_OFFLOAD_H
#define GEV_IO_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

/* The beginning of a job, for observers: the address under which its greenlet waits in the lot, as GEV__ON_JOB. */
enum { GEV__ON_JOB = 0xf00 };
struct gev__job {
	union {
		void *(*fn)(void *arg);
		void (*plain)(void *arg);
	};
	bool is_plain;
	const char *host; /* the name that is looked up; NULL: it does something else */
	bool begun;       /* atomic: a thread has taken it */
};

/* gev_offload_apart: 0 or -errno. host: as above; it lives as long as arg. */
int gev__offload_apart(void *(*fn)(void *arg), void *arg, const char *host, void (*drop)(void *arg, void *value),
		       int64_t deadline, void **value);

/* As gev_embed.offload says. */
int gev__offload(void (*fn)(void *arg), void *arg, const char *host);
/* As gev_embed.offload_brief says. */
int gev__offload_brief(void (*fn)(void *arg), void *arg);

/* In a forked child: there are no such threads. */
void gev__offload_forked(void);

#endif
