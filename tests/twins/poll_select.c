/* select and pselect: parked until ready, each of the three sets, time left over, time-outs, errors, as a sleep. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>

#include "twin.h"

enum { DOZERS = 10 };
static int data[2], full[2];
static sem_t here;

static void *read_set(void *arg)
{
	fd_set in, out;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(data[0], &in);
	FD_SET(full[1], &out);
	struct timeval t = {60, 0};
	sem_post(&here);
	int n = select(FD_SETSIZE, &in, &out, NULL, arg ? &t : NULL);
	printf("%d: in %d, out %d", n, !!FD_ISSET(data[0], &in), !!FD_ISSET(full[1], &out));
	if (arg)
		printf(", time left is less: %d", t.tv_sec < 60);
	puts("");
	return NULL;
}

static void *doze(void *arg)
{
	struct timeval t;
	together(DOZERS, (t = (struct timeval){0, 200000}, select(0, NULL, NULL, NULL, &t) == 0) && t.tv_sec == 0 &&
				 t.tv_usec == 0);
	return arg;
}

/* Many programs say getdtablesize() for n. What lies behind a set of FD_SETSIZE bits is nobody's business, where the process has no such descriptors. */
static void small_set(const char *when)
{
	enum { ROOM = 65536, MANY = 100000 };
	const struct timespec none = {0, 0};
	char *room = mmap(NULL, 2 * (size_t)ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), byte;
	check(room != MAP_FAILED && mprotect(room + ROOM, ROOM, PROT_NONE) == 0);
	fd_set *set = (fd_set *)(void *)(room + ROOM - sizeof *set);
	check(write(data[1], "x", 1) == 1);
	FD_SET(data[0], set);
	int n = select(MANY, set, NULL, NULL, NULL);
	printf("a small set, %s: %d %d", when, n, !!FD_ISSET(data[0], set));
	check(read(data[0], &byte, 1) == 1);
	printf(" %d\n", pselect(MANY, set, NULL, NULL, &none, NULL));
	check(munmap(room, 2 * (size_t)ROOM) == 0);
}

/* Descriptors of the runtime's own are needed for these waits. */
static void *wait_for_signal(void *arg)
{
	int sig;
	sem_post(&here);
	check(sigwait(arg, &sig) == 0);
	return arg;
}

static void *wait_for_child(void *arg)
{
	sem_post(&here);
	check(waitpid(*(pid_t *)arg, NULL, 0) == *(pid_t *)arg);
	return arg;
}

static void beside_own_descriptors(void)
{
	sigset_t usr1;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	check(pthread_sigmask(SIG_BLOCK, &usr1, NULL) == 0);
	pid_t child = fork();
	if (child == 0)
		for (;;)
			pause();
	pthread_t signalled = spawn(wait_for_signal, &usr1), bereft = spawn(wait_for_child, &child);
	wait_for(&here);
	wait_for(&here);
	for (int k = 0; k < 3; k++)
		sched_yield();
	small_set("beside a wait for a signal and one for a child");
	check(kill(child, SIGKILL) == 0 && pthread_kill(signalled, SIGUSR1) == 0);
	join(signalled);
	join(bereft);
}

/* A number that such a set has no bit for, in one that has: open, and then not any more. */
static void big_set(void)
{
	enum { HIGH = 1500, WORD = 64 };
	uint64_t set[2048 / WORD] = {0};
	struct rlimit limit;
	check(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max < 2048 ? limit.rlim_max : 2048;
	check(limit.rlim_cur > HIGH && setrlimit(RLIMIT_NOFILE, &limit) == 0);
	check(write(data[1], "x", 1) == 1 && dup2(data[0], HIGH) == HIGH);
	for (int i = 0; i < 2; i++) {
		set[HIGH / WORD] |= UINT64_C(1) << HIGH % WORD;
		show(select(HIGH + 1, (fd_set *)(void *)set, NULL, NULL, &(struct timeval){0, 0}));
		printf("%d\n", set[HIGH / WORD] != 0);
		close(HIGH);
	}
}

int main(void)
{
	static char block[65536];
	pthread_t t[DOZERS];
	char byte;
	sem_init(&here, 0, 0);
	check(pipe(data) == 0 && pipe2(full, O_NONBLOCK) == 0);
	while (write(full[1], block, sizeof block) > 0)
		;
	for (long timed = 0; timed < 2; timed++) {
		t[0] = spawn(read_set, (void *)timed);
		wait_for(&here);
		report_threads();
		check(write(data[1], "x", 1) == 1);
		join(t[0]);
		check(read(data[0], &byte, 1) == 1);
	}
	t[0] = spawn(read_set, (void *)1);
	wait_for(&here);
	check(read(full[0], block, sizeof block) == sizeof block);
	join(t[0]);

	for (int i = 0; i < DOZERS; i++)
		t[i] = spawn(doze, NULL);

	/* While the others doze. */
	small_set("beside others");
	beside_own_descriptors();
	fd_set set;
	FD_ZERO(&set);
	FD_SET(data[0], &set);
	struct timeval none = {0, 0}, little = {0, 20000}, negative = {-1, 0}, much = {0, 1500000};
	show(select(data[0] + 1, &set, NULL, NULL, &none));
	printf("cleared: %d\n", !FD_ISSET(data[0], &set));
	FD_SET(data[0], &set);
	show(select(data[0] + 1, &set, NULL, NULL, &little));
	printf("no time left: %ld %ld\n", (long)little.tv_sec, (long)little.tv_usec);
	show(select(0, NULL, NULL, NULL, &negative));
	FD_ZERO(&set);
	FD_SET(full[1], &set);
	show(select(full[1] + 1, NULL, &set, NULL, &much));
	/* Not open, and below the size of the kernel's table: what lies above it is ignored by select(2). */
	FD_SET(60, &set);
	show(select(61, &set, NULL, NULL, NULL));
	show(select(-1, NULL, NULL, NULL, NULL));
	struct timespec short_time = {0, 1000000}, wrong = {0, 1000000000};
	beside_begin();
	show(pselect(0, NULL, NULL, NULL, &short_time, NULL));
	beside_end();
	printf("pselect leaves its time: %ld\n", short_time.tv_nsec);
	show(pselect(0, NULL, NULL, NULL, &wrong, NULL));

	for (int i = 0; i < DOZERS; i++)
		join(t[i]);
	puts("together");
	small_set("alone");
	big_set();
	return 0;
}
