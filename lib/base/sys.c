/* The table of libc calls, filled with libc's own. */
#include "lib/base/sys.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Two of them are variadic in libc; calling them through another type would be undefined, so each gets a plain body. */
static int plain_fcntl(int fd, int command, long argument)
{
	return fcntl(fd, command, argument);
}

static long plain_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return syscall(number, a, b, c, d, e, f);
}

static int (*original_fcntl)(int, int, ...) = fcntl;
static long (*original_syscall)(long, ...) = syscall;

static int given_fcntl(int fd, int command, long argument)
{
	return original_fcntl(fd, command, argument);
}

static long given_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return original_syscall(number, a, b, c, d, e, f);
}

/* glibc gives these a transparent union or an enum where ours has the plain type; same calling convention. */
static int plain_timerfd_create(int clock, int flags)
{
	return timerfd_create(clock, flags);
}

static int plain_timerfd_settime(int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value)
{
	return timerfd_settime(fd, flags, new_value, old_value);
}

static int plain_eventfd(unsigned value, int flags)
{
	return eventfd(value, flags);
}

static int plain_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	return accept4(fd, address, length, flags);
}

static int plain_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return bind(fd, address, length);
}

static int plain_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return connect(fd, address, length);
}

static ssize_t plain_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *address, socklen_t *length)
{
	return recvfrom(fd, buf, n, flags, address, length);
}

static ssize_t plain_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *address,
			    socklen_t length)
{
	return sendto(fd, buf, n, flags, address, length);
}

/* glibc has it since 2.36 only. Where it has not, this one stays when a shim gives the originals. */
static ssize_t plain_process_madvise(int process, const struct iovec *v, size_t n, int advice, unsigned flags)
{
	return original_syscall(SYS_process_madvise, process, v, n, advice, flags);
}

struct gev__sys gev__sys = {
	.close = close,
	.fcntl = plain_fcntl,
	.eventfd = plain_eventfd,
	.timerfd_create = plain_timerfd_create,
	.timerfd_settime = plain_timerfd_settime,
	.epoll_create1 = epoll_create1,
	.epoll_wait = epoll_wait,
	.epoll_ctl = epoll_ctl,
	.read = read,
	.write = write,
	.recv = recv,
	.send = send,
	.preadv2 = preadv2,
	.pwritev2 = pwritev2,
	.readv = readv,
	.writev = writev,
	.recvfrom = plain_recvfrom,
	.sendto = plain_sendto,
	.recvmsg = recvmsg,
	.sendmsg = sendmsg,
	.fstat = fstat,
	.getaddrinfo = getaddrinfo,
	.freeaddrinfo = freeaddrinfo,
	.stat = stat,
	.poll = poll,
	.socket = socket,
	.bind = plain_bind,
	.listen = listen,
	.accept4 = plain_accept4,
	.connect = plain_connect,
	.getsockopt = getsockopt,
	.setsockopt = setsockopt,
	.mmap = mmap,
	.munmap = munmap,
	.mprotect = mprotect,
	.madvise = madvise,
	.process_madvise = plain_process_madvise,
	.syscall = plain_syscall,
	.sigaction = sigaction,
	.sigaltstack = sigaltstack,
	.pthread_create = pthread_create,
	.sched_yield = sched_yield,
};

static void *look_up(void *(*original)(const char *), const char *name, void *present)
{
	void *found = original(name);
	return found ? found : present;
}

void gev__sys_set(void *(*original)(const char *name))
{
	original_fcntl = (int (*)(int, int, ...))look_up(original, "fcntl", (void *)original_fcntl);
	original_syscall = (long (*)(long, ...))look_up(original, "syscall", (void *)original_syscall);
#define SYS(ret, name, params, args) gev__sys.name = (ret(*) params)look_up(original, #name, (void *)gev__sys.name);
#include "lib/base/sys.def"
#undef SYS
	gev__sys.fcntl = given_fcntl;
	gev__sys.syscall = given_syscall;
}
