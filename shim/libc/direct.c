/* Files opened with O_DIRECT, or given it by fcntl: no transfer is served from memory, each waits for a device.
 *
 * Whoever reads like that has threads for it, so that the device has several requests at once and the others get on meanwhile (nginx with
 * `directio` and `aio threads`, databases). Made by the hub's OS thread the requests would come one after the other: nginx then served 0.4 of what
 * it serves natively, at 2.3 times the processor time. So a real thread of the runtime's makes the call. The wait is that of a disk: no
 * signal ends it, natively neither. */
#include "shim/libc/direct.h"

struct direct {
	ssize_t (*call)(const struct direct *d);
	int fd, n;
	const struct iovec *v;
	off_t at;
	ssize_t result;
	int error;
};

static void make(void *arg)
{
	struct direct *d = arg;
	d->result = d->call(d);
	d->error = errno;
}

static ssize_t run(struct direct *d)
{
	int saved = errno;
	if (patch_gev->offload_brief(make, d) < 0)
		make(d); /* no thread for it */
	errno = d->result < 0 ? d->error : saved;
	return d->result;
}

static ssize_t call_readv(const struct direct *d)
{
	return real.readv(d->fd, d->v, d->n);
}

ssize_t direct_readv(int fd, const struct iovec *v, int n)
{
	return run(&(struct direct){.call = call_readv, .fd = fd, .v = v, .n = n});
}

static ssize_t call_writev(const struct direct *d)
{
	return real.writev(d->fd, d->v, d->n);
}

ssize_t direct_writev(int fd, const struct iovec *v, int n)
{
	return run(&(struct direct){.call = call_writev, .fd = fd, .v = v, .n = n});
}

static ssize_t call_preadv(const struct direct *d)
{
	return real.preadv(d->fd, d->v, d->n, d->at);
}

ssize_t direct_preadv(int fd, const struct iovec *v, int n, off_t at)
{
	return run(&(struct direct){.call = call_preadv, .fd = fd, .v = v, .n = n, .at = at});
}

static ssize_t call_pwritev(const struct direct *d)
{
	return real.pwritev(d->fd, d->v, d->n, d->at);
}

ssize_t direct_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	return run(&(struct direct){.call = call_pwritev, .fd = fd, .v = v, .n = n, .at = at});
}
