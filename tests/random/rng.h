/* rng.h: chance for the random tests: splitmix64, one state an actor, so that what it chooses does not depend on the others' steps. */
#ifndef TESTS_RANDOM_RNG_H
#define TESTS_RANDOM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 .. n - 1 */
static inline unsigned below(struct rng *r, unsigned n)
{
	return (unsigned)(rng_next(r) % n);
}

static inline bool one_in(struct rng *r, unsigned n)
{
	return below(r, n) == 0;
}

#endif
