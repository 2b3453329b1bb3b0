/* streams.h: for the fixtures of streams: both ends of something that waits, and a reader or writer in a thread.
 *
 * A thread that stopped the process while it waits in a stream would never be fed, or never be emptied: then a fixture hangs. */
#ifndef STREAMS_H
#define STREAMS_H

#include "twin.h"

#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <wchar.h>

static sem_t here;
static FILE *in, *out;

static const char *const kinds[] = {"pipe", "socket"};

/* fd[0] to read from, fd[1] to write to. */
static inline void make_way(const char *kind, int fd[2])
{
	if (strcmp(kind, "pipe") == 0)
		check(pipe(fd) == 0);
	else
		stream_pair(fd);
}

/* ---- Reading: what is read comes in pieces, and each must be waited for ---- */

struct reading {
	const char *name;
	void (*read)(void);
	const char *pieces[4];
	bool from_stdin;
};

static inline void *run_reading(void *arg)
{
	const struct reading *r = (const struct reading *)arg;
	sem_post(&here);
	r->read();
	return NULL;
}

static inline void feed(const struct reading *r, const char *kind)
{
	int fd[2];
	make_way(kind, fd);
	if (r->from_stdin) {
		check(dup2(fd[0], 0) == 0 && close(fd[0]) == 0);
		in = stdin;
		clearerr(stdin);
	} else {
		in = fdopen(fd[0], "r");
	}
	check(in != NULL);
	printf("%s from a %s: ", r->name, kind);
	pthread_t t = spawn(run_reading, (void *)r);
	wait_for(&here);
	for (int i = 0; i < 4 && r->pieces[i]; i++) {
		sched_yield();
		write_all(fd[1], r->pieces[i], strlen(r->pieces[i]));
	}
	join(t);
	printf("; fileno %s\n", r->from_stdin         ? (fileno(stdin) == 0 ? "right" : "wrong")
				: fileno(in) == fd[0] ? "right"
						      : "wrong");
	close(fd[1]);
	if (!r->from_stdin)
		check(fclose(in) == 0);
}

static inline void feed_all(const struct reading *r, size_t n)
{
	sem_init(&here, 0, 0);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < 2; k++)
			feed(&r[i], kinds[k]);
}

/* ---- Writing: more than a pipe or a socket takes, and the reader looks at every byte ---- */

struct writing {
	const char *name;
	void (*write)(void);
	bool to_stdout;
};

static int saved_stdout;

static inline void *run_writing(void *arg)
{
	const struct writing *w = (const struct writing *)arg;
	sem_post(&here);
	w->write();
	if (w->to_stdout) {
		check(fflush(stdout) == 0);
		check(dup2(saved_stdout, 1) == 1 && close(saved_stdout) == 0);
	} else {
		check(fclose(out) == 0);
	}
	return NULL;
}

/* stdout becomes fd, until dup2 of saved_stdout. */
static inline void lead_stdout(int fd)
{
	fflush(stdout);
	saved_stdout = dup(1);
	check(saved_stdout > 0 && dup2(fd, 1) == 1 && close(fd) == 0);
}

/* Everything from fd to the end: how many, and a sum in which their order counts. */
static inline void drain(int fd, const char *what)
{
	char buf[5000];
	size_t n = 0;
	unsigned sum = 1;
	for (ssize_t got; (got = read(fd, buf, sizeof buf)) > 0; n += (size_t)got)
		for (ssize_t i = 0; i < got; i++)
			sum = sum * 31 + (unsigned char)buf[i];
	dprintf(1, "%s: %zu bytes, %08x\n", what, n, sum);
	close(fd);
}

static inline void empty(const struct writing *w, const char *kind)
{
	char what[100];
	int fd[2];
	make_way(kind, fd);
	if (w->to_stdout)
		lead_stdout(fd[1]);
	else
		fflush(stdout);
	out = w->to_stdout ? stdout : fdopen(fd[1], "w");
	check(out != NULL);
	snprintf(what, sizeof what, "%s to a %s", w->name, kind);
	pthread_t t = spawn(run_writing, (void *)w);
	wait_for(&here);
	drain(fd[0], what);
	join(t);
}

static inline void empty_all(const struct writing *w, size_t n)
{
	sem_init(&here, 0, 0);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < 2; k++)
			empty(&w[i], kinds[k]);
}

/* ---- A stream that another thread is in: who wants it too must wait ---- */

struct wanting {
	const char *name;
	void (*want)(void);
	const char *more; /* what there is to read for it afterwards; NULL: nothing */
};

static int wanted_done; /* atomic */

static inline void *run_wanting(void *arg)
{
	sem_post(&here);
	((const struct wanting *)arg)->want();
	__atomic_store_n(&wanted_done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static inline void *read_a_line(void *arg)
{
	char line[100];
	sem_post(&here);
	check(fgets(line, sizeof line, in) != NULL);
	printf("%s", line);
	return NULL;
}

static inline void want(const struct wanting *w)
{
	int fd[2];
	stream_pair(fd);
	in = fdopen(fd[0], "r+");
	check(in != NULL);
	wanted_done = 0;
	pthread_t reader = spawn(read_a_line, NULL);
	wait_for(&here);
	/* Until it is in the call: half of the line makes it take the stream, and ask for more. */
	write_all(fd[1], "a line ", 7);
	for (int left = 1; left > 0; sched_yield())
		check(ioctl(fd[0], FIONREAD, &left) == 0);
	pthread_t wanter = spawn(run_wanting, (void *)w);
	wait_for(&here);
	for (int i = 0; i < 20; i++)
		sched_yield();
	printf("%s: %s, ", w->name, __atomic_load_n(&wanted_done, __ATOMIC_SEQ_CST) ? "did not wait" : "waits");
	write_all(fd[1], "of two pieces\n", 14);
	join(reader);
	if (w->more)
		write_all(fd[1], w->more, strlen(w->more));
	join(wanter);
	check(fclose(in) == 0);
	close(fd[1]);
}

#endif
