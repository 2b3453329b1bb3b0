/* poll over 1000 descriptors, of which now the first, now the last becomes ready; many rounds. */
#include <poll.h>
#include <sys/resource.h>

#include "twin.h"

enum { N = 1000, ROUNDS = 50 };

static int fd[N][2];
static sem_t here, next;

static void *watch(void *arg)
{
	static struct pollfd p[N];
	long sum = 0;
	for (int i = 0; i < N; i++)
		p[i] = (struct pollfd){.fd = fd[i][0], .events = POLLIN};
	for (int round = 0; round < ROUNDS; round++) {
		char byte;
		sem_post(&here);
		check(poll(p, N, -1) == 1);
		for (int i = 0; i < N; i++)
			if (p[i].revents) {
				check(p[i].revents == POLLIN && read(fd[i][0], &byte, 1) == 1);
				sum += i;
			}
		sem_post(&next);
	}
	return (void *)sum;
}

int main(void)
{
	struct rlimit limit;
	sem_init(&here, 0, 0);
	sem_init(&next, 0, 0);
	check(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (int i = 0; i < N; i++)
		check(pipe(fd[i]) == 0);
	pthread_t t = spawn(watch, NULL);
	long expected = 0;
	for (int round = 0; round < ROUNDS; round++) {
		int i = round % 2 ? N - 1 - round : round * 3;
		wait_for(&here);
		if (round == 0)
			report_threads();
		check(write(fd[i][1], "x", 1) == 1);
		expected += i;
		wait_for(&next);
	}
	printf("sum right: %d\n", (long)join(t) == expected);
	return 0;
}
