/* Duplicates share what they stand for: a reader parked on one is woken through another; each is closed on its own;
 * dup2 over an open descriptor; a descriptor number that is used again. */
#include "twin.h"

static sem_t here;

static void *read_one(void *arg)
{
	char byte = 0;
	sem_post(&here);
	check(read(*(int *)arg, &byte, 1) == 1);
	return (void *)(long)byte;
}

static int parked_reader(pthread_t *t, int *fd)
{
	*t = spawn(read_one, fd);
	wait_for(&here);
	return *fd;
}

int main(void)
{
	int a[2], b[2];
	pthread_t t;
	char byte;
	sem_init(&here, 0, 0);
	stream_pair(a);
	stream_pair(b);

	int copy = dup(a[0]), third = fcntl(a[0], F_DUPFD_CLOEXEC, 50);
	check(copy >= 0 && third >= 50);
	parked_reader(&t, &copy);
	report_threads();
	close(third);
	check(write(a[1], "1", 1) == 1);
	printf("through a duplicate: %c\n", (char)(long)join(t));

	/* The original may go: the duplicate still reads. */
	check(write(a[1], "2", 1) == 1);
	printf("original: %c\n", (char)(long)read_one(&a[0]));
	wait_for(&here);
	close(a[0]);
	parked_reader(&t, &copy);
	check(write(a[1], "3", 1) == 1);
	printf("after the original's close: %c\n", (char)(long)join(t));

	/* The number now stands for something else. */
	check(dup2(b[0], copy) == copy);
	show(send(a[1], "x", 1, MSG_NOSIGNAL));
	parked_reader(&t, &copy);
	check(write(b[1], "4", 1) == 1);
	printf("after dup2: %c\n", (char)(long)join(t));
	show(dup2(copy, copy) == copy);
	show(dup3(copy, copy, 0));
	show(dup2(-1, copy));
	parked_reader(&t, &b[0]);
	check(write(b[1], "5", 1) == 1);
	printf("the other name: %c\n", (char)(long)join(t));
	close(copy);
	show(read(copy, &byte, 1));

	/* 200 times the same number, each time another socket, with a parked reader each time. */
	int first = -1, same = 0;
	for (int i = 0; i < 200; i++) {
		stream_pair(a);
		if (first < 0)
			first = a[0];
		same += a[0] == first;
		parked_reader(&t, &a[0]);
		check(write(a[1], "y", 1) == 1);
		check((long)join(t) == 'y');
		close(a[0]);
		close(a[1]);
	}
	printf("the same number %d times\n", same);
	return 0;
}
