/* OpenMP with OMP_WAIT_POLICY=passive: loops, reductions, critical sections, tasks, barriers, locks and nested teams. */
#include <omp.h>
#include <stdio.h>

static long fib(int n)
{
	long a, b;
	if (n < 2)
		return n;
#pragma omp task shared(a) if (n > 12)
	a = fib(n - 1);
#pragma omp task shared(b) if (n > 12)
	b = fib(n - 2);
#pragma omp taskwait
	return a + b;
}

int main(void)
{
	enum { N = 200000 };
	long sum = 0, guarded = 0, locked = 0, result = 0, nested = 0;
	int team = 0;
	omp_lock_t lock;
	omp_init_lock(&lock);
#pragma omp parallel for reduction(+ : sum) schedule(dynamic, 1000)
	for (int i = 0; i < N; i++)
		sum += i;
#pragma omp parallel
	{
#pragma omp single
		team = omp_get_num_threads();
		for (int i = 0; i < 200; i++) {
#pragma omp critical
			guarded++;
#pragma omp barrier
			omp_set_lock(&lock);
			locked++;
			omp_unset_lock(&lock);
		}
	}
#pragma omp parallel
#pragma omp single
	result = fib(22);
	omp_set_max_active_levels(2);
#pragma omp parallel num_threads(3) reduction(+ : nested)
#pragma omp parallel num_threads(2) reduction(+ : nested)
	nested += 1;
	omp_destroy_lock(&lock);
	printf("team %d, sum %ld, guarded %ld, locked %ld, fib %ld, nested %ld\n", team, sum, guarded, locked, result,
	       nested);
	return 0;
}
