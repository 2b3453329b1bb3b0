/* The loop of transfer.h, and views of vectors. */
#include "shim/libc/transfer.h"

#include <limits.h>

ssize_t io_transfer(struct transfer *t, bool wait_first)
{
	for (;;) {
		if (wait_first) {
			int r = io_wait(&t->wait);
			if (r < 0)
				return t->done > 0 ? (ssize_t)t->done : r;
		}
		ssize_t n = t->attempt(t);
		t->wait.tried = true;
		if (n < 0 && n != -EAGAIN)
			return t->done > 0 ? (ssize_t)t->done : n;
		if (n == 0)
			return (ssize_t)t->done;
		if (n > 0) {
			t->done += (size_t)n;
			t->wait.vain = t->wait.naps = 0;
			t->wait.moved = true;
			if (t->done >= t->enough)
				return (ssize_t)t->done;
		}
		/* The kernel took or gave less than asked: another try would be refused. */
		wait_first = true;
	}
}

void io_view(struct io_view *view, const struct iovec *v, int n, size_t done)
{
	while (n > 0 && done >= v->iov_len) {
		done -= v->iov_len;
		v++;
		n--;
	}
	view->v = v;
	view->n = n;
	if (done == 0)
		return;
	view->v = view->copy;
	view->n = n < IO_VIEW ? n : IO_VIEW;
	for (int i = 0; i < view->n; i++)
		view->copy[i] = v[i];
	view->copy[0].iov_base = (char *)view->copy[0].iov_base + done;
	view->copy[0].iov_len -= done;
}

ssize_t io_vector_size(const struct iovec *v, int n)
{
	size_t sum = 0;
	for (int i = 0; i < n; i++) {
		if (v[i].iov_len > (size_t)SSIZE_MAX - sum)
			return -EINVAL;
		sum += v[i].iov_len;
	}
	return (ssize_t)sum;
}
