/* asleep.h: what the programs share that put very many to sleep at once and weigh themselves.
 *
 * Usage: asleep_X N SECONDS [CYCLES]. Each of N runs, goes two calls deep, and sleeps until SECONDS after the start. When the last has gone to sleep
 * the process's memory is read; when all have ended, its CPU time. One JSON object a cycle. C and C++. */
#ifndef BENCH_ASLEEP_H
#define BENCH_ASLEEP_H

#include <string.h>

#include "bench/micro/micro.h"

struct asleep {
	long n;
	double seconds; /* how long they sleep */
	int cycles;
	long before_kb, rss_kb, pte_kb;
	double cpu, wake_at;
	long sleeping; /* how many have got there */
	long woken;
};

static inline long asleep_kb(const char *status, const char *name)
{
	const char *at = strstr(status, name);
	return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

static inline void asleep_weigh(long *rss_kb, long *pte_kb)
{
	char status[8192];
	FILE *file = fopen("/proc/self/status", "r");
	micro_must(file != NULL, "/proc/self/status");
	size_t size = fread(status, 1, sizeof status - 1, file);
	fclose(file);
	status[size] = '\0';
	*rss_kb = asleep_kb(status, "VmRSS:");
	*pte_kb = asleep_kb(status, "VmPTE:");
}

static inline double asleep_cpu(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline struct asleep asleep_parse(int argc, char **argv)
{
	struct asleep a;
	memset(&a, 0, sizeof a);
	micro_must(argc >= 3, "usage: N SECONDS [CYCLES]:");
	a.n = strtol(argv[1], NULL, 10);
	a.seconds = strtod(argv[2], NULL);
	a.cycles = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 1;
	return a;
}

static inline void asleep_begin(struct asleep *a)
{
	long pte;
	asleep_weigh(&a->before_kb, &pte);
	a->before_kb += pte;
	a->sleeping = a->woken = 0;
	a->cpu = asleep_cpu();
	a->wake_at = micro_now() + a->seconds;
}

/* Each says so before it sleeps; the last one weighs. It returns how long to sleep. */
static inline double asleep_ready(struct asleep *a)
{
	if (++a->sleeping == a->n)
		asleep_weigh(&a->rss_kb, &a->pte_kb);
	return a->wake_at - micro_now();
}

static inline void asleep_end(const struct asleep *a)
{
	micro_must(a->sleeping == a->n && a->woken == a->n, "all to sleep and awake again");
	printf("{\"n\": %ld, \"before_kb\": %ld, \"rss_kb\": %ld, \"pte_kb\": %ld, \"cpu_s\": %.6f, \"late_s\": %.3f}\n",
	       a->n, a->before_kb, a->rss_kb, a->pte_kb, asleep_cpu() - a->cpu, micro_now() - a->wake_at);
	fflush(stdout);
}

#endif
