/* flockfile: others wait while a thread that holds a stream sleeps, prints and is parked in it; it counts; it may have been taken before
 * the first thread was made. And two threads that read lines from one stream. */
#include "streams.h"

int _IO_ftrylockfile(FILE *f);
void _IO_flockfile(FILE *f);
void _IO_funlockfile(FILE *f);

static int order;

static void *print_once(void *arg)
{
	sem_post(&here);
	fprintf(out, "%s", (const char *)arg);
	order = order * 10 + 2;
	return NULL;
}

static void *try_it(void *arg)
{
	printf("another's try: %d\n", ftrylockfile(out) ? 1 : (funlockfile(out), 0));
	return NULL;
}

static void hold(const char *what)
{
	order = 0;
	pthread_t t = spawn(print_once, (void *)"other ");
	wait_for(&here);
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	join(spawn(try_it, NULL));
	fprintf(out, "%s ", what);
	putc_unlocked('!', out);
	order = order * 10 + 1;
	report_threads();
	funlockfile(out);
	join(t);
	printf("%s: order %d\n", what, order);
}

static void *read_lines(void *arg)
{
	int *count = arg;
	char line[200];
	while (fgets(line, sizeof line, in)) {
		check(strcmp(line, "a line that must not be torn\n") == 0);
		++*count;
	}
	return NULL;
}

static void two_readers(void)
{
	int fd[2], a = 0, b = 0;
	stream_pair(fd);
	in = fdopen(fd[0], "r");
	pthread_t first = spawn(read_lines, &a), second = spawn(read_lines, &b);
	for (int i = 0; i < 500; i++) {
		write_all(fd[1], "a line that ", 12);
		sched_yield();
		write_all(fd[1], "must not be torn\n", 17);
		sched_yield();
	}
	close(fd[1]);
	join(first);
	join(second);
	printf("two readers: %d lines\n", a + b);
	fclose(in);
}

static void *close_it(void *arg)
{
	sem_post(&here);
	check(fclose(in) == 0);
	__atomic_store_n(&wanted_done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void close_while_parked(void)
{
	int fd[2], left = 1;
	stream_pair(fd);
	in = fdopen(fd[0], "r");
	pthread_t reader = spawn(read_a_line, NULL);
	wait_for(&here);
	write_all(fd[1], "half ", 5);
	for (; left > 0; sched_yield())
		check(ioctl(fd[0], FIONREAD, &left) == 0);
	pthread_t closer = spawn(close_it, NULL);
	wait_for(&here);
	for (int i = 0; i < 20; i++)
		sched_yield();
	printf("fclose beside fgets: %s, ", __atomic_load_n(&wanted_done, __ATOMIC_SEQ_CST) ? "did not wait" : "waits");
	write_all(fd[1], "a line\n", 7);
	join(reader);
	join(closer);
	close(fd[1]);
}

int main(void)
{
	char text[200];
	sem_init(&here, 0, 0);
	out = fopen("out", "w+");
	flockfile(out);
	hold("before");
	flockfile(out);
	hold("after");
	_IO_flockfile(out);
	check(_IO_ftrylockfile(out) == 0);
	_IO_funlockfile(out);
	hold("twice");
	flockfile(out);
	flockfile(out);
	funlockfile(out);
	hold("counted");
	rewind(out);
	while (fgets(text, sizeof text, out))
		printf("%s\n", text);
	fclose(out);
	remove("out");
	two_readers();
	close_while_parked();
	return 0;
}
