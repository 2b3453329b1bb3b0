/* io_uring: how a program that uses liburing waits for completions.
 *
 * liburing makes its system calls itself, past libc; but whoever waits comes through one function that it exports (its
 * io_uring_wait_cqe is an inline call of it). A ring's descriptor is readable while it has completions (io_uring_setup(2)),
 * so a green thread parks on that. Waits for more than one completion, or with a signal mask, are liburing's own. */
#define PATCH_FAMILY PATCH_FAMILY_IO

#include <dlfcn.h>

#include "shim/base/next.h"
#include "shim/libc/wait.h"
#include "shim/signal/signals.h"

typedef int get_cqe(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned submit, unsigned n, sigset_t *mask);

/* Not real's alone: where a plug-in brings the library, it may come behind libc in load order, or be in nobody's scope. */
static get_cqe *original(void)
{
	static get_cqe *known;
	get_cqe *f = __atomic_load_n(&known, __ATOMIC_RELAXED);
	if (f == NULL) {
		f = (get_cqe *)patch_next("__io_uring_get_cqe", NULL);
		void *library = f ? NULL : dlopen("liburing.so.2", RTLD_LAZY | RTLD_NOLOAD);
		if (library)
			f = (get_cqe *)dlsym(library, "__io_uring_get_cqe");
		if (f == NULL)
			f = real.__io_uring_get_cqe;
		__atomic_store_n(&known, f, __ATOMIC_RELAXED);
	}
	return f;
}

/* liburing.h, the same in every liburing.so.2: struct io_uring { struct io_uring_sq sq; struct io_uring_cq cq; unsigned flags;
 * int ring_fd; ... }. */
static int descriptor_of(const struct io_uring *ring)
{
	enum { SQ = 104, CQ = 88, FLAGS = 4 };
	_Static_assert(sizeof(long) == 8, "64-bit systems");
	return *(const int *)(const void *)((const char *)ring + SQ + CQ + FLAGS);
}

/* Nobody finds the completions of such a ring but who looks for them in the kernel (io_uring_setup(2), IORING_SETUP_IOPOLL). */
static bool is_polled(const struct io_uring *ring)
{
	enum { SQ = 104, CQ = 88, IOPOLL = 1 };
	return *(const unsigned *)(const void *)((const char *)ring + SQ + CQ) & IOPOLL;
}

APART static int wait_green(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned submit)
{
	for (;; submit = 0) {
		int r = original()(ring, cqe, submit, 0, NULL);
		if (r != -EAGAIN)
			return r;
		r = patch_gev->fd_wait(descriptor_of(ring), GEV_READABLE, GEV_NEVER, GEV_PARK_INTERRUPTIBLE);
		if (r == -EINTR && patch_interrupted(false) < 0)
			return -EINTR;
		if (r < 0 && r != -EINTR)
			return original()(ring, cqe, 0, 1, NULL);
	}
}

int patch___io_uring_get_cqe(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned submit, unsigned n,
			     sigset_t *mask)
{
	if (!patch_green() || n != 1 || mask || is_polled(ring))
		return original()(ring, cqe, submit, n, mask);
	return wait_green(ring, cqe, submit);
}
EXPORT(__io_uring_get_cqe);
