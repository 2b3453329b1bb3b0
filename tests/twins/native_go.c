/* A program that bears Go's mark, and does as Go's runtime: threads by pthread_create, which wait for one another by system calls of their own. */
#include <linux/futex.h>
#include <sys/syscall.h>

#include "twin.h"

__asm__(".pushsection .note.go.buildid, \"a\", %note\n\t"
	".balign 4\n\t"
	".long 4, 4, 4\n\t"
	".asciz \"Go\"\n\t"
	".balign 4\n\t"
	".ascii \"none\"\n\t"
	".popsection");

enum { THREADS = 4, ROUNDS = 100 };

static int turn;

static long futex(int *word, int op, int value)
{
#if defined(__x86_64__)
	register long timeout __asm__("r10") = 0;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(SYS_futex), "D"(word), "S"(op), "d"(value), "r"(timeout)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = SYS_futex;
	register long x0 __asm__("x0") = (long)word;
	register long x1 __asm__("x1") = op;
	register long x2 __asm__("x2") = value;
	register long x3 __asm__("x3") = 0;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
#endif
}

static void *take_turns(void *arg)
{
	int me = *(int *)arg;
	for (int i = 0; i < ROUNDS; i++) {
		for (int now = __atomic_load_n(&turn, __ATOMIC_ACQUIRE); now % THREADS != me;
		     now = __atomic_load_n(&turn, __ATOMIC_ACQUIRE))
			futex(&turn, FUTEX_WAIT_PRIVATE, now);
		__atomic_fetch_add(&turn, 1, __ATOMIC_RELEASE);
		futex(&turn, FUTEX_WAKE_PRIVATE, THREADS);
	}
	return arg;
}

int main(void)
{
	pthread_t t[THREADS];
	int numbers[THREADS];
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		t[i] = spawn(take_turns, &numbers[i]);
	}
	for (int i = 0; i < THREADS; i++)
		check(join(t[i]) == &numbers[i]);
	printf("turns: %d\n", turn);
	return 0;
}
