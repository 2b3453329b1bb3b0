/* fopencookie: a stream whose reads and writes are the program's own functions. They may park, and compute for longer than a time slice. */
#include <stdlib.h>

#include "shim/stdio/stream.h"

struct cookie {
	void *given;
	cookie_io_functions_t call;
	FILE *f;
};

/* The stream may be older than the first thread. */
struct leave {
	struct stream_yield yield;
	bool yields;
};

static void leave(struct leave *l, const struct cookie *c)
{
	l->yields = streams_ours;
	if (l->yields)
		stream_yield(&l->yield, c->f);
}

static void come_back(struct leave *l)
{
	if (l->yields)
		stream_resume(&l->yield);
}

static ssize_t cookie_read(void *arg, char *to, size_t n)
{
	struct cookie *c = arg;
	struct leave l;
	leave(&l, c);
	ssize_t r = c->call.read(c->given, to, n);
	come_back(&l);
	return r;
}

static ssize_t cookie_write(void *arg, const char *from, size_t n)
{
	struct cookie *c = arg;
	struct leave l;
	leave(&l, c);
	ssize_t r = c->call.write(c->given, from, n);
	come_back(&l);
	return r;
}

static int cookie_seek(void *arg, off64_t *at, int from)
{
	struct cookie *c = arg;
	struct leave l;
	leave(&l, c);
	int r = c->call.seek(c->given, at, from);
	come_back(&l);
	return r;
}

static int cookie_close(void *arg)
{
	struct cookie *c = arg;
	struct leave l;
	int r = 0;
	if (c->call.close) {
		leave(&l, c);
		r = c->call.close(c->given);
		come_back(&l);
	}
	free(c);
	return r;
}

/* A function that is not there means something of its own (fopencookie(3)). */
FILE *patch_fopencookie(void *given, const char *mode, cookie_io_functions_t call)
{
	struct cookie *c = malloc(sizeof *c);
	if (c == NULL)
		return NULL;
	*c = (struct cookie){.given = given, .call = call};
	cookie_io_functions_t ours = {call.read ? cookie_read : NULL, call.write ? cookie_write : NULL,
				      call.seek ? cookie_seek : NULL, cookie_close};
	FILE *f = real.fopencookie(c, mode, ours);
	if (f)
		c->f = f;
	else
		free(c);
	return f;
}
EXPORT(fopencookie);
