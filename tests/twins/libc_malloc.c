/* malloc: allocated by one thread and freed by another, every size, and one that cannot be had. */
#include <malloc.h>

#include "twin.h"

enum { THREADS = 20, BLOCKS = 500 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	unsigned char *p;
	size_t n;
	unsigned char fill;
} shelf[THREADS];
static sem_t here, go;

static void *run(void *arg)
{
	unsigned seed = (unsigned)(long)arg + 1;
	size_t too_much = SIZE_MAX / 4;
	sem_post(&here);
	wait_for(&go);
	for (int i = 0; i < BLOCKS; i++) {
		seed = seed * 1103515245u + 12345u;
		size_t n = 1 + (seed >> 8) % (i % 100 ? 3000 : 300000);
		unsigned char *p = malloc(n), fill = (unsigned char)seed;
		check(p != NULL);
		memset(p, fill, n);
		if (i % 50 == 0)
			usleep(10);
		if (i == 250) {
			/* volatile: a compiler may leave out a malloc of which only the pointer is compared. */
			void *volatile refused = malloc(too_much);
			check(refused == NULL && errno == ENOMEM);
			p = realloc(p, n + 5000);
			check(p && p[n - 1] == fill);
			n = n + 5000;
			memset(p, fill, n);
		}
		/* Swaps its block with one that another thread has left. */
		int at = (int)((seed >> 4) % THREADS);
		pthread_mutex_lock(&lock);
		unsigned char *q = shelf[at].p, q_fill = shelf[at].fill;
		size_t m = shelf[at].n;
		shelf[at].p = p;
		shelf[at].n = n;
		shelf[at].fill = fill;
		pthread_mutex_unlock(&lock);
		for (size_t k = 0; q && k < m; k += 97)
			check(q[k] == q_fill);
		free(q);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	for (int round = 0; round < 3; round++) {
		for (long i = 0; i < THREADS; i++)
			t[i] = spawn(run, (void *)i);
		for (int i = 0; i < THREADS; i++)
			wait_for(&here);
		if (round == 0)
			report_threads();
		for (int i = 0; i < THREADS; i++)
			sem_post(&go);
		for (int i = 0; i < THREADS; i++)
			join(t[i]);
		malloc_trim(0);
	}
	for (int i = 0; i < THREADS; i++)
		free(shelf[i].p);
	puts("no block was damaged");
	return 0;
}
