/* latency.h: a histogram of durations with a bounded relative error, as in HdrHistogram.
 *
 * Bucket width doubles with each power of two, and each power of two has 2^LATENCY_BITS buckets: a value is
 * reported within 1/2^LATENCY_BITS (0.8 %) of the truth, with a fixed amount of memory and no sorting.
 */
#ifndef LOAD_LATENCY_H
#define LOAD_LATENCY_H

#include <stdint.h>

enum { LATENCY_BITS = 7, LATENCY_BUCKETS = (64 - LATENCY_BITS + 1) << LATENCY_BITS };

struct latency {
	uint64_t count;
	uint64_t max;
	uint64_t buckets[LATENCY_BUCKETS];
};

static inline void latency_add(struct latency *latency, uint64_t ns)
{
	unsigned top = 63u - (unsigned)__builtin_clzll(ns | (1u << LATENCY_BITS));
	unsigned shift = top - LATENCY_BITS;

	/* index = shift * 2^BITS + (ns >> shift): the leading one of the shifted value carries into the next power */
	latency->buckets[((uint64_t)shift << LATENCY_BITS) + (ns >> shift)]++;
	latency->count++;
	if (ns > latency->max)
		latency->max = ns;
}

/* The duration that the given share (0..1) of all requests did not exceed, in ns; 0 when there are none. */
uint64_t latency_at(const struct latency *latency, double share);

#endif
