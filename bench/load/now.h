/* now.h: the one clock of the load client: CLOCK_MONOTONIC in nanoseconds. */
#ifndef LOAD_NOW_H
#define LOAD_NOW_H

#include <stdint.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
