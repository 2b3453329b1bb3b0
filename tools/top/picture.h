/* picture.h: what a process says of its greenlets at one moment, and what became of them since the moment before. */
#ifndef TOOLS_TOP_PICTURE_H
#define TOOLS_TOP_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct row {
	long id;
	char *name;
	char *state;
	char *waits; /* what for, in words; empty: it does not wait */
	int64_t waited_ns;
	int64_t ran_ns;
	int64_t cpu_ns;
	int64_t switches;
	int64_t stack;
	double busy;     /* its share of the time since the picture before, 0 to 1 */
	double cpu;      /* and how much of that the processor computed for it */
	double switched; /* switches a second since then */
};

struct picture {
	int64_t at_ns;
	bool partial;
	size_t hubs;
	size_t n;
	struct row *rows; /* by id */
	/* The process's counts until now, and the switches a second since the picture before. */
	int64_t switches;
	int64_t made;
	int64_t longest_run_ns;
	char *longest_run;
	int64_t stalls;
	double switched;
};

/* Asks the process's control socket. `before` may be NULL. 0; -1 and a sentence in `why`. */
int picture_take(struct picture *p, pid_t pid, const struct picture *before, char *why, size_t size);
void picture_free(struct picture *p);

/* By what the rows are sorted. */
enum order { BY_ID, BY_BUSY, BY_SWITCHES, BY_WAITED, BY_STACK, BY_NAME, ORDERS };

/* The largest first, but ids and names upwards. */
void picture_sort(struct picture *p, enum order order);

#endif
