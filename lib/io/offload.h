/* offload.h: a few real threads for what cannot be made cooperative. Contracts: gev/offload.h. */
#ifndef GEV_IO_OFFLOAD_H
#define GEV_IO_OFFLOAD_H

#include <stdint.h>

/* gev_offload_apart: 0 or -errno. */
int gev__offload_apart(void *(*fn)(void *arg), void *arg, void (*drop)(void *arg, void *value), int64_t deadline,
		       void **value);

/* In a forked child: there are no such threads. */
void gev__offload_forked(void);

#endif
