/* syscall(2) by the numbers of calls on descriptors: as libc's functions of the same arguments. */
#include "shim/libc/numbers.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "shim/base/between.h"

/* Reading and writing. */
static bool on_data(long number, const long a[6], long *r)
{
	const int fd = (int)a[0];
	switch (number) {
	case SYS_read:
		HELD(*r = patch_read(fd, P(void *, a[1]), (size_t)a[2]));
		return true;
	case SYS_write:
		HELD(*r = patch_write(fd, P(const void *, a[1]), (size_t)a[2]));
		return true;
	case SYS_readv:
		HELD(*r = patch_readv(fd, P(const struct iovec *, a[1]), (int)a[2]));
		return true;
	case SYS_writev:
		HELD(*r = patch_writev(fd, P(const struct iovec *, a[1]), (int)a[2]));
		return true;
	case SYS_recvfrom:
		HELD(*r = patch_recvfrom(fd, P(void *, a[1]), (size_t)a[2], (int)a[3], P(struct sockaddr *, a[4]),
					 P(socklen_t *, a[5])));
		return true;
	case SYS_sendto:
		HELD(*r = patch_sendto(fd, P(const void *, a[1]), (size_t)a[2], (int)a[3],
				       P(const struct sockaddr *, a[4]), (socklen_t)a[5]));
		return true;
	case SYS_recvmsg:
		HELD(*r = patch_recvmsg(fd, P(struct msghdr *, a[1]), (int)a[2]));
		return true;
	case SYS_sendmsg:
		HELD(*r = patch_sendmsg(fd, P(const struct msghdr *, a[1]), (int)a[2]));
		return true;
	case SYS_recvmmsg:
		HELD(*r = patch_recvmmsg(fd, P(struct mmsghdr *, a[1]), (unsigned)a[2], (int)a[3],
					 P(struct timespec *, a[4])));
		return true;
	case SYS_sendmmsg:
		HELD(*r = patch_sendmmsg(fd, P(struct mmsghdr *, a[1]), (unsigned)a[2], (int)a[3]));
		return true;
	case SYS_accept:
		HELD(*r = patch_accept(fd, P(struct sockaddr *, a[1]), P(socklen_t *, a[2])));
		return true;
	case SYS_accept4:
		HELD(*r = patch_accept4(fd, P(struct sockaddr *, a[1]), P(socklen_t *, a[2]), (int)a[3]));
		return true;
	case SYS_connect:
		HELD(*r = patch_connect(fd, P(const struct sockaddr *, a[1]), (socklen_t)a[2]));
		return true;
	case SYS_sendfile:
		HELD(*r = patch_sendfile(fd, (int)a[1], P(off_t *, a[2]), (size_t)a[3]));
		return true;
	case SYS_splice:
		HELD(*r = patch_splice(fd, P(off_t *, a[1]), (int)a[2], P(off_t *, a[3]), (size_t)a[4],
				       (unsigned)a[5]));
		return true;
	case SYS_preadv2:
		HELD(*r = patch_preadv2(fd, P(const struct iovec *, a[1]), (int)a[2], a[3], (int)a[5]));
		return true;
	case SYS_pwritev2:
		HELD(*r = patch_pwritev2(fd, P(const struct iovec *, a[1]), (int)a[2], a[3], (int)a[5]));
		return true;
	case SYS_vmsplice:
		HELD(*r = patch_vmsplice(fd, P(const struct iovec *, a[1]), (size_t)a[2], (unsigned)a[3]));
		return true;
	case SYS_tee:
		HELD(*r = patch_tee(fd, (int)a[1], (size_t)a[2], (unsigned)a[3]));
		return true;
	case SYS_flock:
		HELD(*r = patch_flock(fd, (int)a[1]));
		return true;
	default:
		return false;
	}
}

/* What makes, copies and ends numbers. */
static bool on_numbers(long number, const long a[6], long *r)
{
	switch (number) {
	case SYS_close:
		HELD(*r = patch_close((int)a[0]));
		return true;
	case SYS_close_range:
		HELD(*r = patch_close_range((unsigned)a[0], (unsigned)a[1], (int)a[2]));
		return true;
	case SYS_dup:
		*r = patch_dup((int)a[0]);
		return true;
#ifdef SYS_dup2
	case SYS_dup2:
		HELD(*r = patch_dup2((int)a[0], (int)a[1]));
		return true;
#endif
	case SYS_dup3:
		HELD(*r = patch_dup3((int)a[0], (int)a[1], (int)a[2]));
		return true;
	case SYS_fcntl:
		HELD(*r = patch_fcntl((int)a[0], (int)a[1], (unsigned long)a[2]));
		return true;
	case SYS_ioctl:
		HELD(*r = patch_ioctl((int)a[0], (unsigned long)a[1], (unsigned long)a[2]));
		return true;
	case SYS_shutdown:
		*r = patch_shutdown((int)a[0], (int)a[1]);
		return true;
	case SYS_listen:
		*r = patch_listen((int)a[0], (int)a[1]);
		return true;
	case SYS_setsockopt:
		*r = patch_setsockopt((int)a[0], (int)a[1], (int)a[2], P(const void *, a[3]), (socklen_t)a[4]);
		return true;
	case SYS_socket:
		*r = patch_socket((int)a[0], (int)a[1], (int)a[2]);
		return true;
	case SYS_socketpair:
		*r = patch_socketpair((int)a[0], (int)a[1], (int)a[2], P(int *, a[3]));
		return true;
	case SYS_pipe2:
		*r = patch_pipe2(P(int *, a[0]), (int)a[1]);
		return true;
	case SYS_eventfd2:
		*r = patch_eventfd((unsigned)a[0], (int)a[1]);
		return true;
#ifdef SYS_open
	case SYS_open:
		HELD(*r = patch_open(P(const char *, a[0]), (int)a[1], (mode_t)a[2]));
		return true;
	case SYS_creat:
		HELD(*r = patch_creat(P(const char *, a[0]), (mode_t)a[1]));
		return true;
#endif
	case SYS_openat:
		HELD(*r = patch_openat((int)a[0], P(const char *, a[1]), (int)a[2], (mode_t)a[3]));
		return true;
	default:
		return false;
	}
}

static bool make(long number, const long a[6], long *r)
{
	return on_data(number, a, r) || numbers_on_waits(number, a, r) || on_numbers(number, a, r);
}

/* Where our originals end in another library, and that one calls by number by way of a third: the call comes back here a few frames further down.
 * `outer` may be what a jump out of a call has left behind: then somebody waits in the kernel who could have parked. */
static bool make_once(long number, const long a[6], long *r)
{
	enum { NEAR = 16384 };
	static __thread uintptr_t outer __attribute__((tls_model("initial-exec")));
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0), before = outer;
	if (here < before && before - here < NEAR)
		return false;
	outer = here;
	bool made = make(number, a, r);
	outer = before;
	return made;
}

bool patch_numbered_call(long number, const long a[6], long *r)
{
	return likely(!patch_between_any()) ? make(number, a, r) : make_once(number, a, r);
}
