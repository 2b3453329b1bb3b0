/* The library of the fault runs, preloaded below libpatch, or natively alone: calls on chosen descriptors fail by turn, as the kernel might let them
 * fail. A seed in FAULTS says which; each that was made to is counted on standard error at the end.
 *
 * The program chooses by faults_on(fd, what); calls that make descriptors fail in between whatever it has chosen.
 *
 *   FAULTS_SOFT   what a blocking call hides: EAGAIN where the call does not wait, and short counts, by asking for less
 *   FAULTS_HARD   what a correct program tries again: EINTR, ENOBUFS, ENOMEM, EMFILE...
 *   FAULTS_DEAD   ECONNRESET and EPIPE, and the connection is really gone
 *
 * Its file is called as a module of NSS is: so a time slice does not end in it, as it does not in libc (shim/signal/place.c). The calls
 * are bare system calls: it may be asked before any constructor has run. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "faults.h"
#include "shim/libc/kernel.h"

enum { DESCRIPTORS = 4096, ERRORS = 16, VECTORS = 16 };

#define CALLS(C)                                                                                                       \
	C(read), C(readv), C(preadv2), C(pread), C(recv), C(recvfrom), C(recvmsg), C(recvmmsg), C(write), C(writev),   \
		C(pwritev2), C(pwrite), C(send), C(sendto), C(sendmsg), C(sendmmsg), C(sendfile), C(splice), C(tee),   \
		C(vmsplice), C(copy_file_range), C(accept), C(accept4), C(connect), C(socket), C(poll), C(ppoll),      \
		C(epoll_wait), C(close)
#define C(name) CALL_##name
enum call { CALLS(C), N_CALLS };
#undef C
#define C(name) #name
static const char *const names[] = {CALLS(C)};
#undef C

/* What it can be; the last is no error but a short count. */
static const int errors[ERRORS] = {EINTR,  EAGAIN,    ENOBUFS,      ENOMEM,       EMFILE, ENFILE,
				   EPROTO, ETIMEDOUT, ECONNABORTED, ECONNREFUSED, EPIPE,  ECONNRESET};
enum { SHORT = ERRORS - 1 };

static unsigned char modes[DESCRIPTORS];
static unsigned long counts[N_CALLS][ERRORS];
static uint64_t seed, turn;

faults_function faults_on;

void faults_on(int fd, int what)
{
	if (fd >= 0 && fd < DESCRIPTORS)
		__atomic_store_n(&modes[fd], (unsigned char)what, __ATOMIC_SEQ_CST);
}

static int mode(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS ? __atomic_load_n(&modes[fd], __ATOMIC_RELAXED) : 0;
}

/* Each call has its own number, and the seed makes of it anything (splitmix64). */
static uint64_t roll(void)
{
	uint64_t x = seed + __atomic_add_fetch(&turn, 1, __ATOMIC_RELAXED) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static void note(enum call call, int which)
{
	__atomic_fetch_add(&counts[call][which], 1, __ATOMIC_RELAXED);
}

static bool nonblocking(int fd)
{
	return kernel_call6(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0) & O_NONBLOCK;
}

static int with(enum call call, int error)
{
	for (int i = 0; i < SHORT; i++)
		if (errors[i] == error)
			note(call, i);
	return error;
}

/* Left to luck; and a rare call, too, has its turn. */
static bool chosen(enum call call, uint64_t luck)
{
	static unsigned turns[N_CALLS];
	return __atomic_add_fetch(&turns[call], 1, __ATOMIC_RELAXED) % 7 == 0 || luck % 4 == 0;
}

/* The error that this call is to give, or 0. How it fails goes by turn. */
static int fails(enum call call, int fd, bool waits, const int *hard, unsigned n)
{
	static unsigned turns[N_CALLS], deaths[N_CALLS];
	int m = mode(fd);
	uint64_t luck = m ? roll() : 1;
	if (m == 0 || !chosen(call, luck))
		return 0;
	if ((m & FAULTS_DEAD) && call <= CALL_sendmmsg && luck / 4 % 8 == 0) {
		bool resets = call <= CALL_recvmmsg || __atomic_fetch_add(&deaths[call], 1, __ATOMIC_RELAXED) % 2;
		kernel_call6(SYS_shutdown, fd, SHUT_RDWR, 0, 0, 0, 0);
		return with(call, resets ? ECONNRESET : EPIPE);
	}
	bool denies = (m & FAULTS_SOFT) && (!waits || nonblocking(fd));
	n = (m & FAULTS_HARD ? n : 0) + denies;
	if (n == 0)
		return 0;
	unsigned which = __atomic_fetch_add(&turns[call], 1, __ATOMIC_RELAXED) % n;
	return with(call, denies && which == n - 1 ? EAGAIN : hard[which]);
}

/* Whether what moves on fd may be cut anywhere. */
static bool is_stream(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;
	long r = kernel_call6(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (long)&type, (long)&size, 0);
	return r == 0 ? type == SOCK_STREAM : r == -ENOTSOCK;
}

/* How much the call is to ask for instead of n: bytes, or whole messages. */
static size_t less(enum call call, int fd, size_t n)
{
	if (!(mode(fd) & FAULTS_SOFT) || n < 2 || (call != CALL_recvmmsg && call != CALL_sendmmsg && !is_stream(fd)))
		return n;
	uint64_t luck = roll();
	if (!chosen(call, luck))
		return n;
	note(call, SHORT);
	return 1 + luck / 4 % (n - 1);
}

static long answer(long r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

/* A shorter view of a vector. */
struct view {
	struct iovec v[VECTORS];
	size_t n;
};

static const struct iovec *shorter(enum call call, int fd, const struct iovec *v, size_t *n, struct view *view)
{
	size_t sum = 0, want;
	for (size_t i = 0; i < *n; i++)
		sum += v[i].iov_len;
	if (*n == 0 || *n > VECTORS || (want = less(call, fd, sum)) == sum)
		return v;
	for (view->n = 0; want > 0; view->n++) {
		view->v[view->n] = v[view->n];
		if (view->v[view->n].iov_len > want)
			view->v[view->n].iov_len = want;
		want -= view->v[view->n].iov_len;
	}
	*n = view->n;
	return view->v;
}

/* ---- One function a call ---- */

#define HARD(...) (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int)
#define FAIL(call, fd, waits, ...)                                                                                     \
	do {                                                                                                           \
		int fault = fails(CALL_##call, fd, waits, HARD(__VA_ARGS__));                                          \
		if (fault)                                                                                             \
			return (errno = fault, -1);                                                                    \
	} while (0)

ssize_t read(int fd, void *buf, size_t n)
{
	FAIL(read, fd, true, EINTR);
	return answer(kernel_call6(SYS_read, fd, (long)buf, (long)less(CALL_read, fd, n), 0, 0, 0));
}

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
	FAIL(pread, fd, true, EINTR);
	return answer(kernel_call6(SYS_pread64, fd, (long)buf, (long)less(CALL_pread, fd, n), at, 0, 0));
}

ssize_t readv(int fd, const struct iovec *v, int count)
{
	struct view view;
	size_t n = (size_t)count;
	FAIL(readv, fd, true, EINTR);
	v = shorter(CALL_readv, fd, v, &n, &view);
	return answer(kernel_call6(SYS_readv, fd, (long)v, (long)n, 0, 0, 0));
}

ssize_t preadv2(int fd, const struct iovec *v, int count, off_t at, int flags)
{
	struct view view;
	size_t n = (size_t)count;
	FAIL(preadv2, fd, !(flags & RWF_NOWAIT), EINTR);
	v = shorter(CALL_preadv2, fd, v, &n, &view);
	return answer(kernel_call6(SYS_preadv2, fd, (long)v, (long)n, at, at < 0 ? -1 : 0, flags));
}

/* What a pipe takes up to PIPE_BUF, and what a terminal takes, it takes whole or not at all. */
static size_t less_written(enum call call, int fd, size_t n)
{
	return n > 4096 ? less(call, fd, n) : n;
}

ssize_t write(int fd, const void *buf, size_t n)
{
	FAIL(write, fd, true, EINTR, ENOMEM);
	return answer(kernel_call6(SYS_write, fd, (long)buf, (long)less_written(CALL_write, fd, n), 0, 0, 0));
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
	FAIL(pwrite, fd, true, EINTR);
	return answer(kernel_call6(SYS_pwrite64, fd, (long)buf, (long)less(CALL_pwrite, fd, n), at, 0, 0));
}

static const struct iovec *shorter_written(enum call call, int fd, const struct iovec *v, size_t *n, struct view *view)
{
	size_t sum = 0;
	for (size_t i = 0; i < *n; i++)
		sum += v[i].iov_len;
	return sum > 4096 ? shorter(call, fd, v, n, view) : v;
}

ssize_t writev(int fd, const struct iovec *v, int count)
{
	struct view view;
	size_t n = (size_t)count;
	FAIL(writev, fd, true, EINTR, ENOMEM);
	v = shorter_written(CALL_writev, fd, v, &n, &view);
	return answer(kernel_call6(SYS_writev, fd, (long)v, (long)n, 0, 0, 0));
}

ssize_t pwritev2(int fd, const struct iovec *v, int count, off_t at, int flags)
{
	struct view view;
	size_t n = (size_t)count;
	FAIL(pwritev2, fd, !(flags & RWF_NOWAIT), EINTR, ENOMEM);
	v = shorter_written(CALL_pwritev2, fd, v, &n, &view);
	return answer(kernel_call6(SYS_pwritev2, fd, (long)v, (long)n, at, at < 0 ? -1 : 0, flags));
}

ssize_t recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *size)
{
	FAIL(recvfrom, fd, !(flags & MSG_DONTWAIT), EINTR, ENOBUFS, ENOMEM);
	n = less(CALL_recvfrom, fd, n);
	return answer(kernel_recvfrom(fd, buf, n, flags, from, size));
}

ssize_t recv(int fd, void *buf, size_t n, int flags)
{
	FAIL(recv, fd, !(flags & MSG_DONTWAIT), EINTR, ENOBUFS, ENOMEM);
	n = less(CALL_recv, fd, n);
	return answer(kernel_recvfrom(fd, buf, n, flags, NULL, NULL));
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct view view;
	const struct iovec *whole = msg->msg_iov;
	size_t n = msg->msg_iovlen;
	FAIL(recvmsg, fd, !(flags & MSG_DONTWAIT), EINTR, ENOBUFS, ENOMEM);
	msg->msg_iov = (struct iovec *)shorter(CALL_recvmsg, fd, whole, &msg->msg_iovlen, &view);
	long r = kernel_call6(SYS_recvmsg, fd, (long)msg, flags, 0, 0, 0);
	msg->msg_iov = (struct iovec *)whole;
	msg->msg_iovlen = n;
	return answer(r);
}

int recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *timeout)
{
	FAIL(recvmmsg, fd, !(flags & MSG_DONTWAIT), EINTR, ENOBUFS, ENOMEM);
	n = (unsigned)less(CALL_recvmmsg, fd, n);
	return (int)answer(kernel_call6(SYS_recvmmsg, fd, (long)msgs, n, flags, (long)timeout, 0));
}

ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t size)
{
	FAIL(sendto, fd, !(flags & MSG_DONTWAIT), EINTR, ENOBUFS, ENOMEM);
	n = less(CALL_sendto, fd, n);
	return answer(kernel_sendto(fd, buf, n, flags, to, size));
}

ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	FAIL(send, fd, !(flags & MSG_DONTWAIT), EINTR, ENOBUFS, ENOMEM);
	n = less(CALL_send, fd, n);
	return answer(kernel_sendto(fd, buf, n, flags, NULL, 0));
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct view view;
	struct msghdr m = *msg;
	FAIL(sendmsg, fd, !(flags & MSG_DONTWAIT), EINTR, ENOBUFS, ENOMEM);
	m.msg_iov = (struct iovec *)shorter(CALL_sendmsg, fd, m.msg_iov, &m.msg_iovlen, &view);
	return answer(kernel_call6(SYS_sendmsg, fd, (long)&m, flags, 0, 0, 0));
}

int sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
	FAIL(sendmmsg, fd, !(flags & MSG_DONTWAIT), EINTR, ENOBUFS, ENOMEM);
	n = (unsigned)less(CALL_sendmmsg, fd, n);
	return (int)answer(kernel_call6(SYS_sendmmsg, fd, (long)msgs, n, flags, 0, 0));
}

/* Of nothing, it is a question. */
ssize_t sendfile(int out, int in, off_t *at, size_t n)
{
	if (n > 0)
		FAIL(sendfile, out, true, EINTR, ENOMEM);
	return answer(kernel_call6(SYS_sendfile, out, in, (long)at, (long)less(CALL_sendfile, out, n), 0, 0));
}

ssize_t splice(int in, off_t *in_at, int out, off_t *out_at, size_t n, unsigned flags)
{
	FAIL(splice, mode(in) ? in : out, !(flags & SPLICE_F_NONBLOCK), EINTR, ENOMEM);
	n = less(CALL_splice, out, n);
	return answer(kernel_call6(SYS_splice, in, (long)in_at, out, (long)out_at, (long)n, flags));
}

ssize_t tee(int in, int out, size_t n, unsigned flags)
{
	FAIL(tee, mode(in) ? in : out, !(flags & SPLICE_F_NONBLOCK), EINTR, ENOMEM);
	return answer(kernel_call6(SYS_tee, in, out, (long)less(CALL_tee, out, n), flags, 0, 0));
}

ssize_t vmsplice(int fd, const struct iovec *v, size_t n, unsigned flags)
{
	struct view view;
	FAIL(vmsplice, fd, !(flags & SPLICE_F_NONBLOCK), EINTR, ENOMEM);
	v = shorter(CALL_vmsplice, fd, v, &n, &view);
	return answer(kernel_call6(SYS_vmsplice, fd, (long)v, (long)n, flags, 0, 0));
}

ssize_t copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t n, unsigned flags)
{
	FAIL(copy_file_range, out, true, EINTR, ENOMEM);
	n = less(CALL_copy_file_range, out, n);
	return answer(kernel_call6(SYS_copy_file_range, in, (long)in_at, out, (long)out_at, (long)n, flags));
}

/* The same functions by their other names. */
ssize_t pread64(int fd, void *buf, size_t n, off_t at) __attribute__((alias("pread")));
ssize_t pwrite64(int fd, const void *buf, size_t n, off_t at) __attribute__((alias("pwrite")));
ssize_t preadv64v2(int fd, const struct iovec *v, int n, off_t at, int flags) __attribute__((alias("preadv2")));
ssize_t pwritev64v2(int fd, const struct iovec *v, int n, off_t at, int flags) __attribute__((alias("pwritev2")));
ssize_t sendfile64(int out, int in, off_t *at, size_t n) __attribute__((alias("sendfile")));

int accept4(int fd, struct sockaddr *from, socklen_t *size, int flags)
{
	FAIL(accept4, fd, true, EINTR, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO);
	return (int)answer(kernel_call6(SYS_accept4, fd, (long)from, (long)size, flags, 0, 0));
}

int accept(int fd, struct sockaddr *from, socklen_t *size)
{
	FAIL(accept, fd, true, EINTR, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO);
	return (int)answer(kernel_call6(SYS_accept4, fd, (long)from, (long)size, 0, 0, 0));
}

int connect(int fd, const struct sockaddr *to, socklen_t size)
{
	FAIL(connect, fd, true, EINTR, ECONNREFUSED, ETIMEDOUT, ENOBUFS, ENOMEM);
	return (int)answer(kernel_call6(SYS_connect, fd, (long)to, size, 0, 0, 0));
}

/* Once something was chosen (mode of 0, which is nobody's socket). */
int socket(int domain, int type, int protocol)
{
	FAIL(socket, 0, true, EMFILE, ENFILE, ENOBUFS, ENOMEM);
	return (int)answer(kernel_call6(SYS_socket, domain, type, protocol, 0, 0, 0));
}

/* poll.h says that poll only writes to them; the compiler is not to believe it here. */
static const struct pollfd *seen(struct pollfd *fds)
{
	__asm__("" : "+r"(fds));
	return fds;
}

static int poll_fails(enum call call, const struct pollfd *fds, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++)
		if (mode(fds[i].fd) & FAULTS_HARD)
			return fails(call, fds[i].fd, true, HARD(EINTR, ENOMEM));
	return 0;
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec left = timeout ? *timeout : (struct timespec){0};
	int fault = poll_fails(CALL_ppoll, seen(fds), n);
	if (fault)
		return (errno = fault, -1);
	return (int)answer(kernel_call6(SYS_ppoll, (long)fds, (long)n, timeout ? (long)&left : 0, (long)mask, 8, 0));
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
	int fault = poll_fails(CALL_poll, seen(fds), n);
	if (fault)
		return (errno = fault, -1);
	return (int)answer(kernel_call6(SYS_ppoll, (long)fds, (long)n, ms < 0 ? 0 : (long)&t, 0, 8, 0));
}

int epoll_wait(int epoll, struct epoll_event *events, int room, int ms)
{
	FAIL(epoll_wait, epoll, true, EINTR);
	return (int)answer(kernel_call6(SYS_epoll_pwait, epoll, (long)events, room, ms, 0, 8));
}

/* close(2): with EINTR the descriptor is gone nevertheless. */
int close(int fd)
{
	int m = mode(fd);
	faults_on(fd, 0);
	long r = kernel_call6(SYS_close, fd, 0, 0, 0, 0, 0);
	if (r == 0 && (m & FAULTS_HARD) && roll() % 4 == 0) {
		note(CALL_close, 0);
		r = -EINTR;
	}
	return (int)answer(r);
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("FAULTS");
	seed = text ? strtoull(text, NULL, 0) * UINT64_C(0x2545f4914f6cdd1d) : 0;
}

__attribute__((destructor)) static void tell(void)
{
	memset(modes, 0, sizeof modes);
	for (int c = 0; c < N_CALLS; c++)
		for (int e = 0; e < ERRORS; e++)
			if (counts[c][e])
				dprintf(2, "fault %s %s %lu\n", names[c],
					e == SHORT ? "short" : strerrorname_np(errors[e]), counts[c][e]);
}
