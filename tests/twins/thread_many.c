/* Very many threads with thread-local variables. "all N": all alive at once. "serial N": one after the other, in
 * which the memory in use must not grow. */
#include "twin.h"

static __thread long mine[16] = {1};
static sem_t here, go;

static void *wait_with_all(void *arg)
{
	mine[0] += (long)arg;
	sem_post(&here);
	wait_for(&go);
	return (void *)mine[0];
}

static void *use_and_end(void *arg)
{
	mine[0] += (long)arg;
	free(malloc(1000));
	return (void *)mine[0];
}

static long resident_kib(void)
{
	long size, resident;
	FILE *f = fopen("/proc/self/statm", "r");
	check(f && fscanf(f, "%ld %ld", &size, &resident) == 2);
	fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static long all(const pthread_attr_t *attr, long n)
{
	pthread_t *t = malloc((size_t)n * sizeof *t);
	long sum = 0;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	for (long i = 0; i < n; i++)
		check(pthread_create(&t[i], attr, wait_with_all, (void *)i) == 0);
	for (long i = 0; i < n; i++)
		wait_for(&here);
	report_threads();
	for (long i = 0; i < n; i++)
		sem_post(&go);
	for (long i = 0; i < n; i++)
		sum += (long)join(t[i]);
	free(t);
	return sum;
}

static long serial(const pthread_attr_t *attr, long n)
{
	long sum = 0, before = 0;
	for (long i = 0; i < n; i++) {
		pthread_t t;
		if (i == 1000)
			before = resident_kib();
		check(pthread_create(&t, attr, use_and_end, (void *)i) == 0);
		sum += (long)join(t);
	}
	long grown = resident_kib() - before;
	fprintf(stderr, "grown by %ld KiB\n", grown);
	printf("memory is flat: %d\n", grown < 4096);
	return sum;
}

int main(int argc, char **argv)
{
	check(argc == 3);
	long n = atol(argv[2]);
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	check(pthread_attr_setstacksize(&attr, 64 * 1024) == 0);
	printf("sum %ld\n", argv[1][0] == 'a' ? all(&attr, n) : serial(&attr, n));
	return 0;
}
