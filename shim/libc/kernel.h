/* kernel.h: reading and writing straight to the kernel, for calls that do not wait.
 *
 * libc's own are cancellation points: around each it marks the thread as cancellable at once and back, two atomic
 * changes of its struct pthread (nptl/cancellation.c), which with thousands of threads is also a cache miss. A call
 * with MSG_DONTWAIT never waits, and a green thread's cancellation is not libc's. Results: a count or -errno; errno
 * is not touched. */
#ifndef SHIM_LIBC_KERNEL_H
#define SHIM_LIBC_KERNEL_H

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>

#if defined(__x86_64__)
static inline long kernel_call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static inline long kernel_call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#endif

static inline ssize_t kernel_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *size)
{
	return kernel_call6(SYS_recvfrom, fd, (long)buf, (long)n, flags, (long)from, (long)size);
}

static inline ssize_t kernel_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to,
				    socklen_t size)
{
	return kernel_call6(SYS_sendto, fd, (long)buf, (long)n, flags, (long)to, (long)size);
}

static inline ssize_t kernel_recvmsg(int fd, struct msghdr *msg, int flags)
{
	return kernel_call6(SYS_recvmsg, fd, (long)msg, flags, 0, 0, 0);
}

static inline ssize_t kernel_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return kernel_call6(SYS_sendmsg, fd, (long)msg, flags, 0, 0, 0);
}

static inline ssize_t kernel_read(int fd, void *buf, size_t n)
{
	return kernel_call6(SYS_read, fd, (long)buf, (long)n, 0, 0, 0);
}

static inline ssize_t kernel_readv(int fd, const struct iovec *v, int n)
{
	return kernel_call6(SYS_readv, fd, (long)v, n, 0, 0, 0);
}

static inline ssize_t kernel_writev(int fd, const struct iovec *v, int n)
{
	return kernel_call6(SYS_writev, fd, (long)v, n, 0, 0, 0);
}

static inline ssize_t kernel_write(int fd, const void *buf, size_t n)
{
	return kernel_call6(SYS_write, fd, (long)buf, (long)n, 0, 0, 0);
}

#endif
