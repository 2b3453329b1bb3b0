/* sendfile, splice, tee, vmsplice. All but sendfile are cancellation points in libc.
 *
 * The kernel has flags against waiting for pipes only (SPLICE_F_NONBLOCK). So sendfile to what may be full reads and
 * sends; and where splice feeds a socket, O_NONBLOCK is set around that one system call, as for connect. Before
 * anything is taken out of an empty socket its readiness is awaited. */
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>

#include "shim/libc/socket.h"

/* ---- sendfile ---- */

/* From *at on. What was read and could not be sent stays in the file. */
static ssize_t copy(int out, struct description *d, int in, off_t *at, size_t count, char *buf, size_t room)
{
	size_t done = 0;
	while (done < count) {
		size_t most = count - done < room ? count - done : room;
		ssize_t n = real.pread(in, buf, most, *at);
		if (n <= 0) {
			/* A directory, which cannot be read either, is EINVAL for sendfile. */
			int error = errno == EISDIR ? EINVAL : errno;
			return done > 0 || n == 0 ? (ssize_t)done : -error;
		}
		ssize_t sent = socket_send(out, d, buf, (size_t)n, 0, NULL, 0);
		if (sent < 0)
			return done > 0 ? (ssize_t)done : sent;
		*at += sent;
		done += (size_t)sent;
		if (sent < n)
			break;
		/* Another thread may have closed it meanwhile. */
		if (fds_peek(out) != d)
			break;
	}
	return (ssize_t)done;
}

static ssize_t send_file(int out, struct description *d, int in, off_t *offset, size_t count)
{
	enum { ROOM = 64 << 10, MOST = 0x7ffff000 }; /* what one call moves at most (sendfile(2)) */
	off_t at = offset ? *offset : lseek(in, 0, SEEK_CUR);
	char *buf = malloc(ROOM);
	if (buf == NULL)
		return -ENOMEM;
	ssize_t r = copy(out, d, in, &at, count < MOST ? count : MOST, buf, ROOM);
	free(buf);
	if (offset)
		*offset = at;
	else
		lseek(in, at, SEEK_SET);
	return r;
}

/* Into a pipe goes what finds room, once there is some. */
static ssize_t fill_pipe(int out, int in, off_t *offset, size_t count)
{
	struct io_wait wait = {.fd = out, .way = GEV_WRITABLE, .tried = true, .timeout = GEV_NEVER};
	while (!io_ready(out, GEV_WRITABLE)) {
		int r = io_wait(&wait);
		if (r < 0 && r != IO_NEVER_BLOCKS)
			return r;
		if (r < 0)
			break;
	}
	ssize_t r = real.sendfile(out, in, offset, count);
	return r < 0 ? -errno : r;
}

ssize_t patch_sendfile(int out, int in, off_t *offset, size_t count)
{
	int saved = errno;
	struct description *d = patch_green() ? fds_get(out) : NULL;
	if (d == NULL || d->kind == FD_PLAIN || d->wish || count == 0)
		return real.sendfile(out, in, offset, count);
	if (d->kind == FD_SLOW && fds_get(in) == NULL)
		return real.sendfile(out, in, offset, count);
	/* Of nothing: it says whether these two will do at all. A full pipe makes even that wait (fs/splice.c, splice_file_to_pipe). */
	if (d->kind != FD_SLOW && real.sendfile(out, in, offset, 0) < 0)
		return -1;
	bool held = patch_cancel_hold();
	ssize_t r = d->kind == FD_SLOW ? fill_pipe(out, in, offset, count) : send_file(out, d, in, offset, count);
	patch_cancel_let(held);
	return io_result(r, saved);
}
EXPORT(sendfile);
EXPORT_AS(sendfile64, sendfile);

/* ---- splice, tee, vmsplice ---- */

/* One side of the move. */
struct side {
	struct io_wait wait;
	bool waits;  /* for it, as the program has said */
	bool denies; /* a pipe that must not be waited for */
	bool socket;
};

static void look_at(struct side *s, int fd, int way, bool at_once)
{
	struct description *d = fds_get(fd);
	bool pipe = d && d->kind == FD_SLOW;
	*s = (struct side){.wait = {.fd = fd, .way = way, .tried = true, .timeout = GEV_NEVER}};
	if (d == NULL || d->kind == FD_PLAIN)
		return;
	s->socket = !pipe;
	s->waits = !d->wish && !(pipe && at_once);
	s->denies = pipe && !s->waits;
	if (s->socket)
		s->wait.timeout = way == GEV_READABLE ? d->receive_timeout : d->send_timeout;
}

/* 0: ready, as far as is known. */
static int await_side(struct side *s)
{
	if (io_ready(s->wait.fd, s->wait.way))
		return 0;
	if (s->denies)
		return -EAGAIN;
	int r = s->waits ? io_wait(&s->wait) : 0;
	return r == IO_NEVER_BLOCKS ? 0 : r;
}

struct move {
	struct side in, out;
	/* Once, without waiting for pipes. */
	ssize_t (*once)(const struct move *m);
	off_t *in_at, *out_at;
	const struct iovec *vector;
	size_t size;
	unsigned flags;
};

static void nonblocking(int fd, int on)
{
	real.ioctl(fd, FIONBIO, (unsigned long)&on);
}

static ssize_t attempt(const struct move *m)
{
	bool covers = m->out.socket && m->out.waits;
	if (covers)
		nonblocking(m->out.wait.fd, 1);
	ssize_t n = m->once(m);
	if (n < 0)
		n = -errno;
	if (covers)
		nonblocking(m->out.wait.fd, 0);
	return n;
}

static int await_both(struct move *m)
{
	int r = await_side(&m->in);
	return r ? r : await_side(&m->out);
}

static ssize_t move(struct move *m)
{
	/* The kernel's own answer first, also to what makes no sense; but an empty socket would make it wait. */
	int vain = 0, r = m->in.socket ? await_both(m) : 0;
	if (r < 0)
		return r;
	for (;;) {
		ssize_t n = attempt(m);
		if (n != -EAGAIN || !(m->in.waits || m->out.waits))
			return n;
		/* Both were ready, and it said no: only asking again will tell. */
		r = await_both(m);
		if (r == 0 && ++vain > 3)
			r = io_backoff(&m->in.wait);
		if (r < 0)
			return r;
	}
}

static ssize_t splice_once(const struct move *m)
{
	return real.splice(m->in.wait.fd, m->in_at, m->out.wait.fd, m->out_at, m->size, m->flags | SPLICE_F_NONBLOCK);
}

ssize_t patch_splice(int in, off_t *in_at, int out, off_t *out_at, size_t size, unsigned flags)
{
	if (!patch_green())
		return real.splice(in, in_at, out, out_at, size, flags);
	io_cancellation_point();
	if (size == 0)
		return real.splice(in, in_at, out, out_at, size, flags);
	int saved = errno;
	struct move m = {.once = splice_once, .in_at = in_at, .out_at = out_at, .size = size, .flags = flags};
	look_at(&m.in, in, GEV_READABLE, flags & SPLICE_F_NONBLOCK);
	look_at(&m.out, out, GEV_WRITABLE, flags & SPLICE_F_NONBLOCK);
	return io_result(move(&m), saved);
}
EXPORT(splice);

static ssize_t tee_once(const struct move *m)
{
	return real.tee(m->in.wait.fd, m->out.wait.fd, m->size, m->flags | SPLICE_F_NONBLOCK);
}

ssize_t patch_tee(int in, int out, size_t size, unsigned flags)
{
	if (!patch_green())
		return real.tee(in, out, size, flags);
	io_cancellation_point();
	if (size == 0)
		return real.tee(in, out, size, flags);
	int saved = errno;
	struct move m = {.once = tee_once, .size = size, .flags = flags};
	look_at(&m.in, in, GEV_READABLE, flags & SPLICE_F_NONBLOCK);
	look_at(&m.out, out, GEV_WRITABLE, flags & SPLICE_F_NONBLOCK);
	return io_result(move(&m), saved);
}
EXPORT(tee);

static ssize_t vmsplice_once(const struct move *m)
{
	int fd = m->in.wait.fd >= 0 ? m->in.wait.fd : m->out.wait.fd;
	return real.vmsplice(fd, m->vector, m->size, m->flags | SPLICE_F_NONBLOCK);
}

ssize_t patch_vmsplice(int fd, const struct iovec *vector, size_t n, unsigned flags)
{
	if (!patch_green())
		return real.vmsplice(fd, vector, n, flags);
	io_cancellation_point();
	struct description *d = fds_get(fd);
	if (d == NULL || d->kind != FD_SLOW || (flags & SPLICE_F_NONBLOCK))
		return real.vmsplice(fd, vector, n, flags);
	int saved = errno;
	struct move m = {.once = vmsplice_once, .vector = vector, .size = n, .flags = flags};
	bool reads = (real.fcntl(fd, F_GETFL, 0) & O_ACCMODE) == O_RDONLY;
	m.in.wait.fd = m.out.wait.fd = -1;
	struct side *side = reads ? &m.in : &m.out;
	look_at(side, fd, reads ? GEV_READABLE : GEV_WRITABLE, false);
	/* O_NONBLOCK means nothing to it (fs/splice.c, vmsplice_to_pipe). */
	side->waits = true;
	side->denies = false;
	return io_result(move(&m), saved);
}
EXPORT(vmsplice);
