/* Threads that compute without a call and are taken off in the middle keep all that is theirs: registers, floating point and its rounding, errno,
 * thread-local variables, what they have on their stacks. */
#include <fenv.h>
#include <math.h>

#include "twin.h"

enum { THREADS = 6 };
static __thread volatile unsigned long own;
static volatile int running;

static double series(unsigned long n)
{
	double sum = 0;
	for (unsigned long k = 1; k <= n; k++)
		sum += 1.0 / ((double)k * (double)k);
	return sum;
}

static unsigned long mixed(unsigned long seed, unsigned long n)
{
	unsigned long a = seed, b = ~seed, c = seed * 3, d = seed ^ 0x5555, e = 1, f = 2;
	for (unsigned long i = 0; i < n; i++) {
		a += b ^ i;
		b = (b << 7 | b >> 57) + c;
		c ^= a + d;
		d = d * 6364136223846793005UL + e;
		e += f ^ a;
		f = (f >> 3 | f << 61) + b;
	}
	return a ^ b ^ c ^ d ^ e ^ f;
}

static void *compute(void *arg)
{
	long id = (long)arg;
	static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
	int mode = modes[id % 4];
	check(fesetround(mode) == 0);
	own = (unsigned long)id;
	errno = 100 + (int)id;
	unsigned long expected = mixed((unsigned long)id, 1000000);
	double first = series(1000000);
	for (int i = 0; i < 20; i++) {
		check(mixed((unsigned long)id, 1000000) == expected);
		double again = series(1000000);
		check(memcmp(&first, &again, sizeof first) == 0);
		check(errno == 100 + (int)id && own == (unsigned long)id && fegetround() == mode);
	}
	running--;
	until_reported();
	return (void *)expected;
}

int main(void)
{
	pthread_t t[THREADS];
	running = THREADS;
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(compute, (void *)i);
	report_threads();
	for (int i = 0; i < THREADS; i++)
		printf("%lx\n", (unsigned long)join(t[i]));
	return 0;
}
