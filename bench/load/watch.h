/* watch.h: what the kernel says about the server's process: CPU, OS threads, memory. Linux only (/proc). */
#ifndef LOAD_WATCH_H
#define LOAD_WATCH_H

#include <stdint.h>
#include <sys/types.h>

struct usage {
	double user;   /* seconds, from utime of /proc/PID/stat (ticks of 10 ms) */
	double system; /* seconds, from stime */
	double cpu;    /* seconds, both together, from the process's CPU clock: the same sum in nanoseconds */
	long threads;  /* OS threads */
	long rss_kb;   /* VmRSS */
	long pte_kb;   /* VmPTE: page tables */
};

/* 0, or -1 when the process is gone. */
int usage_read(struct usage *usage, pid_t pid);

#endif
