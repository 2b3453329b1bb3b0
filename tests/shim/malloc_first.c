/* A program whose malloc is its own and takes a mutex. The first wrapped call of the process is then pthread_mutex_lock inside
 * malloc, as early as the loader or a constructor allocates: whoever looks it up must not call malloc. Run natively and preloaded. */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA = 64 << 20, UNIT = 16, THREADS = 4, ROUNDS = 1000 };

static _Alignas(4096) char arena[ARENA];
static size_t used;
static unsigned long calls;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Blocks are never given back; the unit before each holds its size. */
static void *take(size_t alignment, size_t n)
{
	void *p = NULL;
	pthread_mutex_lock(&lock);
	calls++;
	size_t at = (used + UNIT + alignment - 1) / alignment * alignment;
	if (n <= ARENA && at <= ARENA - n) {
		p = arena + at;
		((size_t *)p)[-1] = n;
		used = (at + n + UNIT - 1) / UNIT * UNIT;
	}
	pthread_mutex_unlock(&lock);
	return p;
}

void *malloc(size_t n)
{
	return take(UNIT, n);
}

void *calloc(size_t n, size_t size)
{
	return size != 0 && n > SIZE_MAX / size ? NULL : take(UNIT, n * size); /* the arena is zero, and used once */
}

void *aligned_alloc(size_t alignment, size_t n)
{
	return take(alignment < UNIT ? UNIT : alignment, n);
}

void *memalign(size_t alignment, size_t n);
void *memalign(size_t alignment, size_t n)
{
	return aligned_alloc(alignment, n);
}

int posix_memalign(void **out, size_t alignment, size_t n)
{
	*out = aligned_alloc(alignment, n);
	return *out ? 0 : 12; /* ENOMEM */
}

void free(void *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&lock);
	calls++;
	pthread_mutex_unlock(&lock);
}

void *realloc(void *p, size_t n)
{
	void *q = take(UNIT, n);
	if (p != NULL && q != NULL) {
		size_t old = ((size_t *)p)[-1];
		memcpy(q, p, old < n ? old : n);
	}
	return q;
}

static void *run(void *arg)
{
	uintptr_t sum = 0;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned char *p = malloc(64);
		memset(p, 1, 64);
		sum += p[i % 64];
		free(p);
	}
	return (void *)(sum + (uintptr_t)arg);
}

int main(void)
{
	pthread_t threads[THREADS];
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run, (void *)i) != 0)
			return 1;
	for (uintptr_t i = 0; i < THREADS; i++) {
		void *sum;
		if (pthread_join(threads[i], &sum) != 0)
			return 1;
		printf("thread %d: %d\n", (int)i, (int)(uintptr_t)sum);
	}
	printf("our malloc served them: %s\n", calls >= 2UL * THREADS * ROUNDS ? "yes" : "no");
	return 0;
}
