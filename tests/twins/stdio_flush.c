/* Flushing everything: into full pipes, while other threads open and close streams; and while one is parked in fgets(stdin), which holds it up
 * natively too. */
#include "streams.h"

#include <stdio_ext.h>

int _IO_flush_all(void);
void _IO_flush_all_linebuffered(void);
int _IO_fflush(FILE *f);

static char room[300000];

static void fill(int mode, size_t n)
{
	char big[1000];
	memset(big, 'x', sizeof big);
	check(setvbuf(out, room, mode, sizeof room) == 0);
	for (size_t i = 0; i < n; i += sizeof big)
		check(fwrite(big, 1, sizeof big, out) == sizeof big);
}

static int stop;

static void *open_and_close(void *arg)
{
	for (int i = 0; !__atomic_load_n(&stop, __ATOMIC_SEQ_CST) || i < 10; i++) {
		FILE *f = fopen("/dev/null", "w");
		check(f != NULL && fputc('x', f) == 'x' && fclose(f) == 0);
		sched_yield();
	}
	return arg;
}

#define FLUSH(name, mode, call)                                                                                        \
	static void flush_##name(void)                                                                                 \
	{                                                                                                              \
		fill(mode, 200000);                                                                                    \
		call;                                                                                                  \
		check(__fpending(out) == 0);                                                                           \
	}
FLUSH(fflush_NULL, _IOFBF, check(fflush(NULL) == 0))
FLUSH(fflush, _IOFBF, check(_IO_fflush(out) == 0))
FLUSH(fflush_unlocked, _IOFBF, check(fflush_unlocked(out) == 0))
FLUSH(fflush_unlocked_NULL, _IOFBF, check(fflush_unlocked(NULL) == 0))
FLUSH(_IO_flush_all, _IOFBF, check(_IO_flush_all() == 0))
FLUSH(_flushlbf, _IOLBF, _flushlbf())
FLUSH(_IO_flush_all_linebuffered, _IOLBF, _IO_flush_all_linebuffered())

static void flush_fcloseall(void)
{
	fill(_IOFBF, 200000);
	check(fcloseall() == 0);
}

static void flush_stdin_parked(void)
{
	check(fflush(NULL) == 0);
}

static void *feed_stdin(void *arg)
{
	sem_post(&here);
	char line[20];
	check(fgets(line, sizeof line, stdin) != NULL);
	return NULL;
}

int main(void)
{
#define V(name)                                                                                                        \
	{                                                                                                              \
#name, flush_##name, false                                                                             \
	}
	static const struct writing all[] = {
		V(fflush_NULL),   V(fflush),    V(fflush_unlocked),           V(fflush_unlocked_NULL),
		V(_IO_flush_all), V(_flushlbf), V(_IO_flush_all_linebuffered)};
	pthread_t beside = spawn(open_and_close, NULL);
	report_threads();
	empty_all(all, sizeof all / sizeof *all);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	join(beside);

	int fd[2], left = 1;
	check(pipe(fd) == 0 && dup2(fd[0], 0) == 0);
	pthread_t reader = spawn(feed_stdin, NULL);
	wait_for(&here);
	write_all(fd[1], "half ", 5);
	for (; left > 0; sched_yield())
		check(ioctl(0, FIONREAD, &left) == 0);
	static const struct wanting w = {"fflush(NULL)", flush_stdin_parked, NULL};
	wanted_done = 0;
	fflush(stdout);
	pthread_t flusher = spawn(run_wanting, (void *)&w);
	wait_for(&here);
	for (int i = 0; i < 20; i++)
		sched_yield();
	int early = __atomic_load_n(&wanted_done, __ATOMIC_SEQ_CST);
	write_all(fd[1], "a line\n", 7);
	join(reader);
	join(flusher);
	printf("fflush(NULL) beside fgets(stdin): %s\n", early ? "did not wait" : "waits");

	static const struct writing last = {"fcloseall", flush_fcloseall, false};
	empty_all(&last, 1);
	return 0;
}
