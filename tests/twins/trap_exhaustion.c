/* 30 000 threads in 64 MiB of address space: making one fails with EAGAIN when there is no more room, what is there goes on,
 * memory for other things is left or is refused in the usual way, and after they have ended it works again. */
#include <sys/resource.h>

#include "twin.h"

enum { MOST = 30000, PIECES = 64 };
static pthread_t t[MOST];
static sem_t here, go;

static void *run(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	return arg;
}

static void use_memory(void)
{
	void *piece[PIECES];
	int n = 0;
	while (n < PIECES && (piece[n] = malloc(100000)) != NULL)
		n++;
	while (n > 0)
		free(piece[--n]);
}

int main(int argc, char **argv)
{
	pthread_attr_t attr;
	rlim_t limit = 64 << 20;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_attr_init(&attr);
	if (argc > 1)
		check(pthread_attr_setstacksize(&attr, (size_t)atoi(argv[1])) == 0);
	check(setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}) == 0);
	for (int round = 0; round < 3; round++) {
		int n = 0, error = 0;
		while (n < MOST && (error = pthread_create(&t[n], &attr, run, (void *)(long)n)) == 0)
			n++;
		use_memory();
		for (int i = 0; i < n; i++)
			wait_for(&here);
		if (round == 0)
			report_threads();
		printf("some: %d, not all: %d, then %s\n", n > 3, n < MOST, strerrorname_np(error));
		for (int i = 0; i < n; i++)
			sem_post(&go);
		for (int i = 0; i < n; i++)
			check((long)join(t[i]) == i);
	}
	return 0;
}
