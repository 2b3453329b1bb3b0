/* limit.h: as many descriptors as the system allows: 8000 connections want more than the usual 1024. */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <sys/resource.h>

static inline void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

#endif
