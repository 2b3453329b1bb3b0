/* micro_waits: what waiting for one another through descriptors and streams costs two threads. Plain POSIX: run natively and preloaded, the same binary.
 *
 * Usage: micro_waits [SCALE]. Prints one JSON object a line: {"what": "...", "ns": 12.3}, nanoseconds per operation.
 * What arrives is compared with what was sent: a wrong byte ends with status 1.
 */
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/micro/micro.h"

enum { BLOCK = 64 * 1024, MANY = 1000, LINE = 64 };

/* ---- Two threads, and a way there and back ---- */

static int there[2], back[2];

static void make_ways(int sockets)
{
	micro_must((sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, there) : pipe(there)) == 0, "a way there");
	micro_must((sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, back) : pipe(back)) == 0, "a way back");
}

static void close_ways(void)
{
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
}

static void with_another(void *(*other)(void *), void (*self)(long), long n)
{
	pthread_t thread;

	micro_must(pthread_create(&thread, NULL, other, (void *)n) == 0, "pthread_create");
	self(n);
	micro_must(pthread_join(thread, NULL) == 0, "pthread_join");
}

/* ---- A byte there and back, read at once or after a poll ---- */

static void send_byte(int fd, long i)
{
	char byte = (char)i;

	micro_must(write(fd, &byte, 1) == 1, "write of a byte");
}

static void receive_byte(int fd, long i)
{
	char byte;

	micro_must(read(fd, &byte, 1) == 1 && byte == (char)i, "read of a byte");
}

static void *answer_bytes(void *n)
{
	for (long i = 0; i < (long)n; i++) {
		receive_byte(there[0], i);
		send_byte(back[1], i);
	}
	return NULL;
}

static void ask_bytes(long n)
{
	for (long i = 0; i < n; i++) {
		send_byte(there[1], i);
		receive_byte(back[0], i);
	}
}

/* The last one is `back`; nothing comes over the others. */
static struct pollfd polled[MANY];
static int n_polled;

static void ask_bytes_polling(long n)
{
	for (long i = 0; i < n; i++) {
		send_byte(there[1], i);
		micro_must(poll(polled, (nfds_t)n_polled, -1) == 1 && polled[n_polled - 1].revents == POLLIN, "poll");
		receive_byte(back[0], i);
	}
}

static void byte_by_pipe(long n)
{
	make_ways(0);
	with_another(answer_bytes, ask_bytes, n);
	close_ways();
}

static void byte_by_poll(long n, int descriptors)
{
	static int silent[MANY][2];

	make_ways(0);
	n_polled = descriptors;
	for (int i = 0; i < n_polled - 1; i++) {
		micro_must(pipe(silent[i]) == 0, "a silent pipe (ulimit -n)");
		polled[i] = (struct pollfd){.fd = silent[i][0], .events = POLLIN};
	}
	polled[n_polled - 1] = (struct pollfd){.fd = back[0], .events = POLLIN};
	with_another(answer_bytes, ask_bytes_polling, n);
	for (int i = 0; i < n_polled - 1; i++) {
		close(silent[i][0]);
		close(silent[i][1]);
	}
	close_ways();
}

static void byte_by_poll_1(long n)
{
	byte_by_poll(n, 1);
}

static void byte_by_poll_1000(long n)
{
	byte_by_poll(n, MANY);
}

/* ---- Blocks one way; n counts KiB ---- */

static long blocks(long kib)
{
	return kib / (BLOCK / 1024) + 1;
}

static void *send_blocks(void *n)
{
	static char block[BLOCK];

	for (long i = 0; i < blocks((long)n); i++) {
		block[0] = (char)i;
		micro_must(write(there[1], block, BLOCK) == BLOCK, "write of a block");
	}
	return NULL;
}

static void receive_blocks(long n)
{
	static char block[BLOCK];

	for (long i = 0; i < blocks(n); i++) {
		for (ssize_t got = 0, more; got < BLOCK; got += more) {
			more = read(there[0], block + got, (size_t)(BLOCK - got));
			micro_must(more > 0, "read of a block");
		}
		micro_must(block[0] == (char)i, "a block");
	}
}

static void blocks_by_pipe(long n)
{
	make_ways(0);
	with_another(send_blocks, receive_blocks, n);
	close_ways();
}

static void blocks_by_socket(long n)
{
	make_ways(1);
	with_another(send_blocks, receive_blocks, n);
	close_ways();
}

/* ---- Lines by fputs and fgets: each answered by one, or one after the other ---- */

static FILE *out_there, *in_there, *out_back, *in_back;

static void make_line(char *line, long i)
{
	memset(line, 'a' + (int)(i % 26), LINE - 1);
	memcpy(line + LINE - 1, "\n", 2);
}

static void send_line(FILE *f, long i, int flush)
{
	char line[LINE + 1];

	make_line(line, i);
	micro_must(fputs(line, f) >= 0 && (!flush || fflush(f) == 0), "fputs");
}

static void receive_line(FILE *f, long i)
{
	char line[2 * LINE], wanted[LINE + 1];

	make_line(wanted, i);
	micro_must(fgets(line, sizeof line, f) != NULL && strcmp(line, wanted) == 0, "fgets");
}

static void *answer_lines(void *n)
{
	for (long i = 0; i < (long)n; i++) {
		receive_line(in_there, i);
		send_line(out_back, i, 1);
	}
	return NULL;
}

static void ask_lines(long n)
{
	for (long i = 0; i < n; i++) {
		send_line(out_there, i, 1);
		receive_line(in_back, i);
	}
}

static void *send_lines(void *n)
{
	for (long i = 0; i < (long)n; i++)
		send_line(out_there, i, 0);
	micro_must(fflush(out_there) == 0, "fflush");
	return NULL;
}

static void receive_lines(long n)
{
	for (long i = 0; i < n; i++)
		receive_line(in_there, i);
}

static void lines(long n, int sockets, int answered)
{
	make_ways(sockets);
	out_there = fdopen(there[1], "w");
	in_there = fdopen(there[0], "r");
	out_back = fdopen(back[1], "w");
	in_back = fdopen(back[0], "r");
	micro_must(out_there && in_there && out_back && in_back, "fdopen");
	with_another(answered ? answer_lines : send_lines, answered ? ask_lines : receive_lines, n);
	fclose(out_there);
	fclose(in_there);
	fclose(out_back);
	fclose(in_back);
}

static void lines_by_pipe(long n)
{
	lines(n, 0, 0);
}

static void lines_by_socket(long n)
{
	lines(n, 1, 0);
}

static void answered_lines_by_pipe(long n)
{
	lines(n, 0, 1);
}

static void answered_lines_by_socket(long n)
{
	lines(n, 1, 1);
}

static void measure(const char *what, void (*run)(long), long n)
{
	double begin;

	n = micro_times(n);
	run(n / 10 + 10); /* warm */
	begin = micro_now();
	run(n);
	micro_report(what, micro_now() - begin, n);
}

/* Two for each pipe that nothing comes over. */
static void allow_descriptors(rlim_t n)
{
	struct rlimit limit;

	micro_must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
	if (limit.rlim_cur < n)
		limit.rlim_cur = n < limit.rlim_max ? n : limit.rlim_max;
	micro_must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

int main(int argc, char **argv)
{
	micro_begin(argc, argv);
	allow_descriptors(2 * MANY + 100);
	measure("a byte there and back, pipe", byte_by_pipe, 50000);
	measure("the same after a poll of 1", byte_by_poll_1, 50000);
	measure("the same after a poll of 1000", byte_by_poll_1000, 3000);
	measure("a KiB in blocks of 64, pipe", blocks_by_pipe, 500000);
	measure("a KiB in blocks of 64, socket", blocks_by_socket, 500000);
	measure("a line, fputs to fgets, pipe", lines_by_pipe, 2000000);
	measure("a line, fputs to fgets, socket", lines_by_socket, 2000000);
	measure("a line there and back, pipe", answered_lines_by_pipe, 50000);
	measure("a line there and back, socket", answered_lines_by_socket, 50000);
	return 0;
}
