/* client.h: many connections on one thread, each with at most one request under way. */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include <stdint.h>

#include "latency.h"
#include "options.h"

struct result {
	uint64_t requests; /* answered in full, right or wrong */
	uint64_t wrong;    /* answered with other bytes */
	uint64_t errors;   /* refused, closed, reset, or no answer within the patience */
	double seconds;    /* first request sent to last answer read */
};

struct client;

/* Opens all connections and sends one message over each, so that the server has accepted it and has run its thread.
 * Failures are counted in *result; NULL only when memory or descriptors run out here. */
struct client *client_open(const struct options *options, struct result *result);

/* Sends `requests` requests (0: for `seconds`) over the active connections and returns when all are answered:
 * nothing is under way before and after, so the server's CPU between is that of these requests alone. rate, if not
 * 0: so many requests a second leave, whether the earlier ones are answered or not. latency may be NULL. */
void client_run(struct client *client, uint64_t requests, double seconds, double rate, struct result *result,
		struct latency *latency);

/* Connections that are still good. */
unsigned client_alive(const struct client *client);

void client_free(struct client *client);

#endif
