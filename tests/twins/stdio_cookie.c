/* fopencookie: the program's own functions read and write, and wait in them: for a socket, for time, for another thread. */
#include "streams.h"

static int pair[2];
static int closed;

static ssize_t from_socket(void *cookie, char *to, size_t n)
{
	return recv(*(int *)cookie, to, n < 5 ? n : 5, 0);
}

static ssize_t to_socket(void *cookie, const char *from, size_t n)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	write_all(*(int *)cookie, from, n);
	return (ssize_t)n;
}

static int seek_nowhere(void *cookie, off64_t *at, int from)
{
	sched_yield();
	errno = ESPIPE;
	return -1;
}

static int close_socket(void *cookie)
{
	closed++;
	return shutdown(*(int *)cookie, SHUT_RDWR);
}

static void *read_lines(void *arg)
{
	char line[100];
	int n = 0;
	while (fgets(line, sizeof line, in)) {
		check(strcmp(line, "a line longer than what one read gives\n") == 0);
		n++;
	}
	return (void *)(intptr_t)n;
}

static void *print_lines(void *arg)
{
	for (int i = 0; i < 50; i++)
		check(fprintf(out, "a line longer than %s\n", "what one read gives") > 0 && fflush(out) == 0);
	return NULL;
}

static void open_both(void)
{
	cookie_io_functions_t reads = {from_socket, NULL, seek_nowhere, NULL};
	cookie_io_functions_t writes = {NULL, to_socket, NULL, close_socket};
	stream_pair(pair);
	in = fopencookie(&pair[0], "r", reads);
	out = fopencookie(&pair[1], "w", writes);
	check(in && out);
}

static void use_both(void)
{
	pthread_t readers[2] = {spawn(read_lines, NULL), spawn(read_lines, NULL)};
	pthread_t writers[3] = {spawn(print_lines, NULL), spawn(print_lines, NULL), spawn(print_lines, NULL)};
	report_threads();
	for (int i = 0; i < 3; i++)
		join(writers[i]);
	check(fclose(out) == 0);
	int lines = 0;
	for (int i = 0; i < 2; i++)
		lines += (int)(intptr_t)join(readers[i]);
	show(fseek(in, 1, SEEK_SET));
	show(fclose(in));
	printf("%d lines, closed %d times\n", lines, closed);
}

int main(void)
{
	/* Streams older than the first thread, and younger ones. */
	open_both();
	use_both();
	open_both();
	use_both();
	return 0;
}
