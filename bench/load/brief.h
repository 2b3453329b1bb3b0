/* brief.h: one connection per request: what accepting, a thread's start and a thread's end cost a server. */
#ifndef LOAD_BRIEF_H
#define LOAD_BRIEF_H

#include "client.h"

/* Sends each request over a connection of its own, closed after the answer, options->connections of them at a time.
 * requests 0: for `seconds`. Latencies run from connect to the last byte of the answer. 0, or -1 with errno. */
int brief_run(const struct options *options, uint64_t requests, double seconds, struct result *result,
	      struct latency *latency);

#endif
