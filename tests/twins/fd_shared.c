/* A child keeps descriptors open that the parent closes: the parent goes on with the same numbers, which now are
 * others. */
#include <sys/wait.h>

#include "twin.h"

static sem_t here;

static void *read_one(void *arg)
{
	char byte;
	sem_post(&here);
	check(read(*(int *)arg, &byte, 1) == 1);
	return (void *)(long)byte;
}

int main(void)
{
	int old[10][2], again[2], to_child[2], from_child[2];
	char byte;
	sem_init(&here, 0, 0);
	check(pipe(to_child) == 0 && pipe(from_child) == 0);
	for (int i = 0; i < 10; i++) {
		stream_pair(old[i]);
		/* A reader has been parked on each, so that it was watched. */
		pthread_t t = spawn(read_one, &old[i][0]);
		wait_for(&here);
		if (i == 0)
			report_threads();
		check(write(old[i][1], "w", 1) == 1);
		join(t);
	}
	pid_t pid = fork();
	if (pid == 0) {
		/* Keeps all of them, and makes events on those that the parent has closed. */
		check(read(to_child[0], &byte, 1) == 1);
		for (int i = 0; i < 10; i++)
			check(write(old[i][1], "late", 4) == 4 && write(old[i][0], "late", 4) == 4);
		check(write(from_child[1], "x", 1) == 1);
		check(read(to_child[0], &byte, 1) == 1);
		_exit(0);
	}
	int first = old[0][0];
	for (int i = 0; i < 10; i++) {
		close(old[i][0]);
		close(old[i][1]);
	}
	stream_pair(again);
	printf("the same number again: %d\n", again[0] == first);
	pthread_t t = spawn(read_one, &again[0]);
	wait_for(&here);
	check(write(to_child[1], "x", 1) == 1);
	check(read(from_child[0], &byte, 1) == 1);
	/* Whatever the child did to the old socket must not wake, or feed, the reader of the new one. */
	check(write(again[1], "n", 1) == 1);
	printf("read %c\n", (char)(long)join(t));
	for (int i = 0; i < 100; i++) {
		t = spawn(read_one, &again[0]);
		wait_for(&here);
		check(write(again[1], "m", 1) == 1 && (long)join(t) == 'm');
	}
	check(write(to_child[1], "x", 1) == 1);
	int status;
	check(waitpid(pid, &status, 0) == pid);
	printf("child ended with %d\n", status);
	return 0;
}
