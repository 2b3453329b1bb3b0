/* malloc with real threads and others side by side, and requests that cannot be met: the arena in which one fails is given up by glibc, which ends
 * the process if others still count on it. */
#include <malloc.h>

#include "twin.h"

enum { THREADS = 6, ROUNDS = 200 };

static sem_t here, go;

static void *use_memory(void *arg)
{
	void *kept[16] = {NULL};
	size_t too_much = SIZE_MAX / 4, big = 200000;
	for (int i = 0; i < ROUNDS; i++) {
		/* volatile: a compiler may leave out a malloc of which only the pointer is compared. */
		void *volatile refused = malloc(too_much);
		check(refused == NULL && errno == ENOMEM);
		free(kept[i % 16]);
		kept[i % 16] = malloc(i % 3 ? 100 + (size_t)i : big);
		check(kept[i % 16] != NULL);
		memset(kept[i % 16], i, 100);
		if (i % 20 == 0)
			usleep(100);
	}
	for (int i = 0; i < 16; i++)
		free(kept[i]);
	return arg;
}

/* By GEV_NATIVE this thread is a real one, and stays for the whole time. */
void *begin_native(void *arg);
__attribute__((visibility("default"))) void *begin_native(void *arg)
{
	use_memory(arg);
	sem_post(&here);
	wait_for(&go);
	return use_memory(arg);
}

int main(void)
{
	pthread_t native[2], t[THREADS];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 2; i++)
			native[i] = spawn(begin_native, NULL);
		for (int i = 0; i < 2; i++)
			wait_for(&here);
		for (long i = 0; i < THREADS; i++)
			t[i] = spawn(use_memory, (void *)i);
		for (int i = 0; i < 2; i++)
			sem_post(&go);
		use_memory(NULL);
		for (long i = 0; i < THREADS; i++)
			check(join(t[i]) == (void *)i);
		for (int i = 0; i < 2; i++)
			join(native[i]);
		malloc_trim(0);
	}
	puts("every request was met or refused");
	return 0;
}
