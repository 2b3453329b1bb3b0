/* Reading and writing, for descriptors of every kind: gev/io.h.
 *
 * preadv2 and pwritev2 with RWF_NOWAIT never wait, whatever the descriptor's O_NONBLOCK says: on pipes, sockets, eventfds, timerfds, signalfds. What refuses
 * that flag (terminals, named FIFOs, inotify, writing an eventfd) is asked by poll first, and given no more than it certainly takes. */
#include <gev/io.h>

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/result.h"
#include "lib/base/sys.h"
#include "lib/io/operation.h"
#include "lib/io/readiness.h"

/* Data or iovecs in one direction. */
struct flow {
	struct gev__operation op;
	const struct iovec *v;
	int n;
	bool out;
};

static int way(const struct flow *f)
{
	return f->out ? GEV_WRITABLE : GEV_READABLE;
}

static ssize_t call_plainly(const struct flow *f, const struct iovec *v, int n)
{
	return f->out ? gev__sys.writev(f->op.fd, v, n) : gev__sys.readv(f->op.fd, v, n);
}

/* A blocking descriptor that says "writable" takes PIPE_BUF bytes without waiting (pipe(7)). */
static ssize_t call_with_little(const struct flow *f)
{
	for (int i = 0; i < f->n; i++) {
		struct iovec little = f->v[i];
		if (little.iov_len == 0)
			continue;
		if (little.iov_len > PIPE_BUF)
			little.iov_len = PIPE_BUF;
		return call_plainly(f, &little, 1);
	}
	return call_plainly(f, f->v, f->n);
}

static ssize_t carefully(struct flow *f)
{
	int flags = gev__sys.fcntl(f->op.fd, F_GETFL, 0);
	if (flags < 0)
		return -errno;
	bool blocks = !(flags & O_NONBLOCK);
	for (;;) {
		struct pollfd now = {.fd = f->op.fd, .events = f->out ? POLLOUT : POLLIN};
		int r;
		if (blocks && gev__sys.poll(&now, 1, 0) <= 0) {
			r = gev__operation_wait(&f->op, way(f));
		} else {
			ssize_t done = blocks && f->out ? call_with_little(f) : call_plainly(f, f->v, f->n);
			if (done >= 0)
				return done;
			r = gev__operation_again(&f->op, way(f));
		}
		if (r < 0)
			return r;
	}
}

/* Files say EAGAIN with RWF_NOWAIT when they would have to ask the disk, and poll says that they are ready. */
static bool is_file(int fd)
{
	struct stat st;
	return gev__sys.fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode));
}

static size_t length_of(const struct flow *f)
{
	size_t length = 0;
	for (int i = 0; i < f->n; i++)
		length += f->v[i].iov_len;
	return length;
}

/* Once: some bytes, 0 at the end, or -errno. */
static ssize_t transfer(struct flow *f)
{
	int fd = f->op.fd;
	if (!f->out && f->op.deadline > 0 && gev__fd_drained(fd)) {
		int r = gev__operation_wait(&f->op, GEV_READABLE);
		if (r < 0)
			return r;
	}
	for (;;) {
		ssize_t done = f->out ? gev__sys.pwritev2(fd, f->v, f->n, -1, RWF_NOWAIT)
				      : gev__sys.preadv2(fd, f->v, f->n, -1, RWF_NOWAIT);
		if (done >= 0) {
			f->op.vain = 0;
			if (!f->out)
				gev__fd_note_read(fd, done > 0 && (size_t)done < length_of(f));
			return done;
		}
		if (errno == EOPNOTSUPP || errno == ENOSYS)
			return carefully(f);
		if (errno == EAGAIN && is_file(fd)) {
			done = call_plainly(f, f->v, f->n);
			return done < 0 ? -errno : done;
		}
		int r = gev__operation_again(&f->op, way(f));
		if (r < 0)
			return r;
	}
}

static ssize_t once(int fd, const struct iovec *v, int n, bool out, double timeout)
{
	struct flow f = {.v = v, .n = n, .out = out};
	int r = gev__operation_begin(&f.op, fd, timeout);
	return gev__result(r < 0 ? r : transfer(&f));
}

/* v is the caller's copy, and is used up. */
static ssize_t all_of(struct flow *f, struct iovec *v, int n)
{
	size_t all = 0;
	ssize_t done = 0;
	while (n > 0) {
		if (v->iov_len == 0) {
			v++;
			n--;
			continue;
		}
		f->v = v;
		f->n = n < IOV_MAX ? n : IOV_MAX;
		done = transfer(f);
		if (done <= 0)
			break;
		all += (size_t)done;
		for (size_t left = (size_t)done; left > 0;) {
			size_t some = left < v->iov_len ? left : v->iov_len;
			v->iov_base = (char *)v->iov_base + some;
			v->iov_len -= some;
			left -= some;
			if (v->iov_len == 0 && left > 0) {
				v++;
				n--;
			}
		}
	}
	return gev__result_all(all, n > 0 ? done : 1);
}

static ssize_t all(int fd, const struct iovec *v, int n, bool out, double timeout)
{
	enum { FEW = 8 };
	struct iovec few[FEW], *many = NULL;
	struct flow f = {.out = out};
	int r = n < 0 ? -EINVAL : gev__operation_begin(&f.op, fd, timeout);
	if (r < 0)
		return gev__result(r);
	if (n > FEW && (many = malloc((size_t)n * sizeof *many)) == NULL)
		return gev__result(-ENOMEM);
	struct iovec *copy = many ? many : few;
	if (n)
		memcpy(copy, v, (size_t)n * sizeof *copy);
	ssize_t done = all_of(&f, copy, n);
	int saved = errno;
	free(many);
	errno = saved;
	return done;
}

ssize_t gev_read(int fd, void *buf, size_t n, double timeout)
{
	return once(fd, &(struct iovec){buf, n}, 1, false, timeout);
}

ssize_t gev_readv(int fd, const struct iovec *v, int n, double timeout)
{
	return once(fd, v, n, false, timeout);
}

ssize_t gev_read_all(int fd, void *buf, size_t n, double timeout)
{
	return all(fd, &(struct iovec){buf, n}, 1, false, timeout);
}

ssize_t gev_readv_all(int fd, const struct iovec *v, int n, double timeout)
{
	return all(fd, v, n, false, timeout);
}

/* iovec has no const: the kernel only reads what writev is given. */
static void *plain(const void *buf)
{
	return (void *)(uintptr_t)buf;
}

ssize_t gev_write(int fd, const void *buf, size_t n, double timeout)
{
	return once(fd, &(struct iovec){plain(buf), n}, 1, true, timeout);
}

ssize_t gev_writev(int fd, const struct iovec *v, int n, double timeout)
{
	return once(fd, v, n, true, timeout);
}

ssize_t gev_write_all(int fd, const void *buf, size_t n, double timeout)
{
	return all(fd, &(struct iovec){plain(buf), n}, 1, true, timeout);
}

ssize_t gev_writev_all(int fd, const struct iovec *v, int n, double timeout)
{
	return all(fd, v, n, true, timeout);
}

int gev_close(int fd)
{
	gev__fd_closing(fd);
	int r = gev__sys.close(fd);
	gev__fd_closed(fd);
	return r;
}
