/* futex_waitv: a thread waits for several words at once, while another wakes one of them; it is refused, or gives up in time. */
#include <linux/futex.h>
#include <sys/syscall.h>

#include "twin.h"

enum { WORDS = 3 };
static uint32_t words[WORDS];
static struct futex_waitv all[WORDS];
static sem_t here;

static long wait_for_any(struct timespec *until)
{
	return syscall(SYS_futex_waitv, all, WORDS, 0, until, CLOCK_MONOTONIC);
}

static void *wait_long(void *arg)
{
	sem_post(&here);
	return (void *)wait_for_any(NULL);
}

/* By the kernel of the machine that may be too old for it. */
static bool known(void)
{
	return syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) == -1 && errno != ENOSYS;
}

int main(void)
{
	sem_init(&here, 0, 0);
	if (!known()) {
		puts("not here");
		return 0;
	}
	for (int i = 0; i < WORDS; i++)
		all[i] = (struct futex_waitv){.uaddr = (uintptr_t)&words[i], .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};
	for (int i = 0; i < WORDS; i++) {
		pthread_t t = spawn(wait_long, NULL);
		wait_for(&here);
		while (syscall(SYS_futex, &words[i], FUTEX_WAKE_PRIVATE, 1) == 0)
			sched_yield();
		printf("woken by %ld\n", (long)join(t));
	}
	words[1] = 1;
	show(wait_for_any(NULL));
	words[1] = 0;
	struct timespec soon = after(CLOCK_MONOTONIC, 0.02);
	show(wait_for_any(&soon));
	printf("not too soon: %d\n", now() >= (double)soon.tv_sec + (double)soon.tv_nsec / 1e9);
	all[2].flags = 0xff;
	show(wait_for_any(NULL));
	return 0;
}
