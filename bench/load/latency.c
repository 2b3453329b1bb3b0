/* latency.c: reading a value back out of the histogram. Pure arithmetic. */
#include "latency.h"

/* The highest value that falls into the bucket. */
static uint64_t ceiling(unsigned index)
{
	unsigned shift = index >> LATENCY_BITS;
	uint64_t low = index & ((1u << LATENCY_BITS) - 1);

	if (shift == 0)
		return index;
	/* ns >> shift lies in 2^BITS .. 2^(BITS+1) - 1, and its leading one was added to the shift: take it off again */
	shift--;
	return (((low | 1u << LATENCY_BITS) + 1) << shift) - 1;
}

uint64_t latency_at(const struct latency *latency, double share)
{
	uint64_t rank = (uint64_t)(share * (double)latency->count);
	uint64_t seen = 0;

	if (latency->count == 0)
		return 0;
	if (rank >= latency->count)
		rank = latency->count - 1;
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		seen += latency->buckets[i];
		if (seen > rank)
			return ceiling(i) < latency->max ? ceiling(i) : latency->max;
	}
	return latency->max;
}
