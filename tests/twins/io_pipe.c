/* A pipe: a reader parks until something comes, a writer parks while it is full, end of file, zero lengths, bad
 * descriptors. */
#include "twin.h"

static int data[2], full[2];
static sem_t here;

static void *reader(void *arg)
{
	char buffer[100];
	ssize_t n;
	show(read(data[0], buffer, 0));
	sem_post(&here);
	while ((n = read(data[0], buffer, sizeof buffer)) > 0) {
		printf("got %zd: %.*s\n", n, (int)n, buffer);
		sem_post(&here);
	}
	printf("end: %zd\n", n);
	return arg;
}

static void *writer(void *arg)
{
	static char block[200000];
	sem_post(&here);
	ssize_t n = write(full[1], block, sizeof block);
	printf("written at once: %zd\n", n);
	close(full[1]);
	return arg;
}

int main(void)
{
	char buffer[65536];
	long total = 0, n;
	sem_init(&here, 0, 0);
	check(pipe(data) == 0 && pipe(full) == 0);
	pthread_t t = spawn(reader, NULL);
	wait_for(&here);
	report_threads();
	show(write(data[1], "x", 0));
	check(write(data[1], "hello", 5) == 5);
	wait_for(&here);
	check(write(data[1], "again", 5) == 5);
	wait_for(&here);
	close(data[1]);
	join(t);

	t = spawn(writer, NULL);
	wait_for(&here);
	while ((n = read(full[0], buffer, sizeof buffer)) > 0)
		total += n;
	join(t);
	printf("read in all: %ld, then %ld\n", total, n);

	show(read(data[1], buffer, 1));
	show(write(data[0], buffer, 1));
	show(read(-1, buffer, 1));
	show(write(1023, buffer, 1));
	show(close(data[1]));
	return 0;
}
