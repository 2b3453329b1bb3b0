/* RLIMIT_AS: creation fails with EAGAIN when the address space is used up, cleanly, and works again afterwards. */
#include <sys/resource.h>

#include "twin.h"

enum { MIB = 1 << 20, MOST = 2000 };

static sem_t here, go;

static void *run(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	return arg;
}

int main(void)
{
	static pthread_t t[MOST];
	pthread_attr_t attr;
	long size;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_attr_init(&attr);
	check(pthread_attr_setstacksize(&attr, MIB) == 0);

	/* One first, so that what is needed once is there. */
	check(pthread_create(&t[0], &attr, run, NULL) == 0);
	wait_for(&here);
	sem_post(&go);
	join(t[0]);

	FILE *f = fopen("/proc/self/statm", "r");
	check(f && fscanf(f, "%ld", &size) == 1);
	fclose(f);
	rlim_t limit = (rlim_t)(size * sysconf(_SC_PAGESIZE)) + 200 * (rlim_t)MIB;
	check(setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}) == 0);
	for (int round = 0; round < 2; round++) {
		int n = 0, error = 0;
		while (n < MOST && (error = pthread_create(&t[n], &attr, run, (void *)(long)n)) == 0)
			n++;
		for (int i = 0; i < n; i++)
			wait_for(&here);
		if (round == 0)
			report_threads();
		fprintf(stderr, "%d threads\n", n);
		printf("some: %d, then %s\n", n >= 50 && n < 400, strerrorname_np(error));
		for (int i = 0; i < n; i++)
			sem_post(&go);
		for (int i = 0; i < n; i++)
			check((long)join(t[i]) == i);
	}
	return 0;
}
