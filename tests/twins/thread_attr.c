/* Attributes: what they hold, what a running thread says of itself, the caller's own stack, a stack deep enough to
 * use. */
#include <limits.h>
#include <sys/mman.h>

#include "twin.h"

enum { MIB = 1 << 20 };

static sem_t here, go;

struct seen {
	size_t size, guard;
	void *base;
	int detached;
	char *local;
};

static void look(pthread_t t, struct seen *seen)
{
	pthread_attr_t attr;
	check(pthread_getattr_np(t, &attr) == 0);
	check(pthread_attr_getstack(&attr, &seen->base, &seen->size) == 0);
	check(pthread_attr_getguardsize(&attr, &seen->guard) == 0);
	check(pthread_attr_getdetachstate(&attr, &seen->detached) == 0);
	check(pthread_attr_destroy(&attr) == 0);
}

/* Uses `left` bytes of stack, really. */
static __attribute__((noinline)) long use(size_t left)
{
	volatile char block[4096];
	block[0] = 1;
	block[sizeof block - 1] = 1;
	return left < sizeof block + 256 ? block[0] : use(left - sizeof block - 256) + block[sizeof block - 1];
}

static void *run(void *arg)
{
	struct seen seen;
	char local;
	look(pthread_self(), &seen);
	check(&local >= (char *)seen.base && &local < (char *)seen.base + seen.size);
	((struct seen *)arg)->local = &local;
	sem_post(&here);
	wait_for(&go);
	return (void *)(use(seen.size / 2) > 0 ? 1L : 0L);
}

static void with(const char *what, const pthread_attr_t *attr, size_t asked, void *expected_base)
{
	struct seen seen = {0};
	pthread_t t;
	check(pthread_create(&t, attr, run, &seen) == 0);
	wait_for(&here);
	report_threads();
	look(t, &seen);
	/* glibc hands out a bigger stack that has become free, so the exact size is nobody's business. */
	printf("%s: size enough %d, guard %zu, detached %d, own local inside %d", what, seen.size + seen.guard >= asked,
	       seen.guard, seen.detached == PTHREAD_CREATE_DETACHED,
	       seen.local >= (char *)seen.base && seen.local < (char *)seen.base + seen.size);
	if (expected_base)
		printf(", where asked %d", seen.base == expected_base);
	puts("");
	sem_post(&go);
	if (seen.detached == PTHREAD_CREATE_JOINABLE)
		printf("half of the stack used: %ld\n", (long)join(t));
}

int main(void)
{
	pthread_attr_t attr;
	size_t size;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	check(pthread_attr_init(&attr) == 0);
	check(pthread_attr_getstacksize(&attr, &size) == 0);
	with("no attributes", NULL, size, NULL);
	with("initial attributes", &attr, size, NULL);
	show_error(pthread_attr_setstacksize(&attr, (size_t)sysconf(_SC_THREAD_STACK_MIN) - 1));
	show_error(pthread_attr_setstacksize(&attr, 4 * MIB));
	show_error(pthread_attr_getstacksize(&attr, &size));
	printf("%zu\n", size);
	with("4 MiB", &attr, 4 * MIB, NULL);
	show_error(pthread_attr_setguardsize(&attr, 65536));
	with("a guard of 64 KiB", &attr, 4 * MIB, NULL);
	show_error(pthread_attr_setguardsize(&attr, 0));
	with("no guard", &attr, 4 * MIB, NULL);
	show_error(pthread_attr_setguardsize(&attr, 1));
	with("a guard of one byte", &attr, 4 * MIB, NULL);
	check(pthread_attr_destroy(&attr) == 0);

	void *own = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(own != MAP_FAILED && pthread_attr_init(&attr) == 0);
	show_error(pthread_attr_setstack(&attr, own, MIB));
	with("the caller's stack", &attr, MIB, own);
	with("the caller's stack again", &attr, MIB, own);
	show_error(munmap(own, MIB));

	struct seen main_stack;
	char local;
	look(pthread_self(), &main_stack);
	printf("main's local lies in main's stack: %d\n",
	       &local >= (char *)main_stack.base && &local < (char *)main_stack.base + main_stack.size);

	check(pthread_attr_init(&attr) == 0);
	check(pthread_attr_setstacksize(&attr, 16 * MIB) == 0 && pthread_setattr_default_np(&attr) == 0);
	with("a new default", NULL, 16 * MIB, NULL);
	return 0;
}
