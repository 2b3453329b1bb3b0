/* Each libc call of the library fails by turn: the first one, the second, and so on, while a program spawns, sleeps, reads, writes and joins. Every
 * public call either works or says why not; nothing hangs, nothing is touched that is not there. What the runtime cannot go on without ends it with a
 * message. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/sys.h"
#include "lib/context/annotate.h"

enum { NEVER_CALLED = 7 };
static int countdown, failure;
static double patience = 0.05; /* seconds for what comes at once if it comes at all */
static unsigned *made;         /* how often, for each call; shared with the children */

static bool it_fails(void)
{
	return countdown > 0 && --countdown == 0;
}

enum {
#define SYS(ret, name, params, args) CALL_##name,
#include "lib/base/sys.def"
#undef SYS
	CALLS,
};

#define SYS(ret, name, params, args)                                                                                   \
	static ret(*real_##name) params;                                                                               \
	static ret fail_##name params                                                                                  \
	{                                                                                                              \
		__atomic_add_fetch(&made[CALL_##name], 1, __ATOMIC_RELAXED);                                           \
		if (it_fails()) {                                                                                      \
			errno = failure;                                                                               \
			return (ret)(intptr_t)-1;                                                                      \
		}                                                                                                      \
		return real_##name args;                                                                               \
	}
#include "lib/base/sys.def"
#undef SYS

static const char *const calls[] = {
#define SYS(ret, name, params, args) #name,
#include "lib/base/sys.def"
#undef SYS
};

/* All of them where none is named. */
static void replace(const char *which)
{
#define SYS(ret, name, params, args)                                                                                   \
	if (!which || strcmp(#name, which) == 0) {                                                                     \
		real_##name = gev__sys.name;                                                                           \
		gev__sys.name = fail_##name;                                                                           \
	}
#include "lib/base/sys.def"
#undef SYS
}

/* A public call that failed has said why. */
#define fine(call) ((errno = 0, (call)) >= 0 || errno != 0 || (_exit(3), 0))

static void *echo(void *arg)
{
	char c;
	while (gev_recv(*(int *)arg, &c, 1, 0, 1) == 1 && gev_send(*(int *)arg, &c, 1, 0, 1) == 1)
		;
	return arg;
}

static void *sleep_a_little(void *arg)
{
	fine(gev_sleep(0.0005));
	return arg;
}

static void *accept_one(void *arg)
{
	int fd = -1;
	fine(fd = gev_accept(*(int *)arg, NULL, NULL, 2 * patience));
	if (fd < 0)
		return NULL;
	char bytes[4];
	struct iovec v = {.iov_base = bytes, .iov_len = 1};
	struct msghdr message = {.msg_iov = &v, .msg_iovlen = 1};
	fine(gev_readv(fd, &v, 1, patience));
	fine(gev_recvmsg(fd, &message, 0, patience));
	fine(gev_recv(fd, bytes, 1, MSG_WAITALL, patience));
	fine(gev_recvfrom(fd, bytes, 1, 0, NULL, NULL, patience));
	fine(gev_close(fd));
	return NULL;
}

static void talk(int listener)
{
	struct sockaddr_in where = {0};
	socklen_t length = sizeof where;
	char at[32], byte = 'x';
	if (getsockname(listener, (struct sockaddr *)&where, &length))
		_exit(6);
	snprintf(at, sizeof at, "localhost:%u", ntohs(where.sin_port));
	struct gev_greenlet *g = gev_spawn(accept_one, &listener);
	if (g == NULL && errno == 0)
		_exit(5);
	int fd = -1;
	fine(fd = gev_dial(at, 10 * patience));
	if (fd >= 0) {
		struct iovec v = {.iov_base = &byte, .iov_len = 1};
		struct msghdr message = {.msg_iov = &v, .msg_iovlen = 1};
		struct pollfd odd = {.fd = fd, .events = POLLPRI};
		fine(gev_writev(fd, &v, 1, patience));
		fine(gev_sendmsg(fd, &message, 0, patience));
		fine(gev_sendto(fd, &byte, 1, 0, NULL, 0, patience));
		fine(gev_send(fd, &byte, 1, 0, patience));
		fine(gev_poll(&odd, 1, 0.001));
		fine(gev_close(fd));
	}
	if (g) {
		fine(gev_join(g, 3, NULL));
		gev_release(g);
	}
}

/* A regular file, which never waits and may be slow all the same. */
static void read_file(void)
{
	FILE *f = tmpfile();
	char bytes[4] = "abc";
	if (f == NULL)
		_exit(7);
	fine(gev_write(fileno(f), bytes, 3, patience));
	rewind(f);
	fine(gev_read(fileno(f), bytes, 3, patience));
	fclose(f);
}

/* What knows no call that never waits. */
static void rename_self(void)
{
	int fd = open("/proc/self/comm", O_RDWR);
	char name[16];
	if (fd < 0)
		_exit(8);
	fine(gev_read(fd, name, sizeof name, patience));
	fine(gev_write(fd, "failing", 7, patience));
	close(fd);
}

static void *nap(void *arg)
{
	usleep(2000);
	return arg;
}

/* A hub on an OS thread that ends. */
static void *other_thread(void *arg)
{
	fine(gev_sleep(0.0002));
	return arg;
}

static void *never(void *arg)
{
	return arg;
}

/* Names, connections, files, another hub, and a wait that nobody could end. */
static void live_wide(void)
{
	struct gev_spawn_attr suspended = {.suspended = true};
	pthread_t thread;
	int listener = -1;
	fine(listener = gev_listen("localhost:0", 4));
	if (listener >= 0) {
		talk(listener);
		fine(gev_close(listener));
	}
	read_file();
	rename_self();
	fine(gev_offload(nap, NULL, 1, NULL));
	if (pthread_create(&thread, NULL, other_thread, NULL) == 0)
		pthread_join(thread, NULL);
	struct gev_greenlet *g = gev_spawn_with(&suspended, never, NULL);
	if (g) {
		fine(gev_join(g, GEV_FOREVER, NULL)); /* EDEADLK */
		gev_release(g);
	}
	_exit(countdown > 0 ? NEVER_CALLED : 0);
}

static void live(void)
{
	int fds[2];
	char c = 'x';
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		_exit(4);
	struct gev_greenlet *g[6];
	for (int i = 0; i < 6; i++) {
		struct gev_spawn_attr attr = {.identity = i % 2 ? GEV_IDENTITY_OWN : GEV_IDENTITY_SHARED};
		errno = 0;
		g[i] = gev_spawn_with(&attr, i < 2 ? echo : sleep_a_little, &fds[1]);
		if (g[i] == NULL && errno == 0)
			_exit(5);
	}
	fine(gev_sleep(0.0002));
	for (int i = 0; i < 3; i++) {
		fine(gev_send(fds[0], &c, 1, 0, patience));
		fine(gev_recv(fds[0], &c, 1, 0, patience));
	}
	fine(gev_close(fds[0]));
	for (int i = 0; i < 6; i++) {
		if (g[i] == NULL)
			continue;
		fine(gev_join(g[i], 3, NULL));
		gev_release(g[i]);
	}
	fine(gev_close(fds[1]));
	_exit(countdown > 0 ? NEVER_CALLED : 0);
}

/* One life in a child of its own, and the reading end of what it says. */
struct attempt {
	pid_t pid;
	int said;
};

/* The n-th call of `which` fails; of none when n is 0, and then they are all counted, and nothing is hurried. */
static struct attempt start(void (*life)(void), const char *which, int n, int error)
{
	int said[2];
	if (pipe(said))
		return (struct attempt){.pid = -1};
	pid_t pid = fork();
	if (pid == 0) {
		dup2(said[1], STDERR_FILENO);
		alarm(100);
		replace(n > 0 ? which : NULL);
		if (n == 0)
			patience = 20;
		countdown = n;
		failure = error;
		life();
	}
	close(said[1]);
	return (struct attempt){.pid = pid, .said = said[0]};
}

/* How it ended: 0 well, 1 with a message, NEVER_CALLED if there were not so many calls, else a status. */
static int end(const struct attempt *a, const char *which, int n, int error)
{
	if (a->pid < 0)
		return -1;
	char message[512] = "";
	ssize_t length = read(a->said, message, sizeof message - 1);
	close(a->said);
	int status = -1;
	if (waitpid(a->pid, &status, 0) != a->pid)
		return -1;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == NEVER_CALLED))
		return WEXITSTATUS(status);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && length > 0 && strstr(message, "libgev: "))
		return 1;
	printf("%s, call %d failing with %s: status %#x, said \"%s\"\n", which, n, strerror(error), (unsigned)status,
	       message);
	return status;
}

/* All lives at the same time: they wait more than they do. */
static void fails_by_turn(void (*life)(void), const char *which)
{
	static const int errors[] = {ENOMEM, EINTR};
	enum { TURNS = 12, ERRORS = sizeof errors / sizeof *errors };
	struct attempt attempts[TURNS][ERRORS];
	for (int n = 0; n < TURNS; n++)
		for (int e = 0; e < ERRORS; e++)
			attempts[n][e] = start(life, which, n + 1, errors[e]);
	for (int n = 0; n < TURNS; n++)
		for (int e = 0; e < ERRORS; e++) {
			int r = end(&attempts[n][e], which, n + 1, errors[e]);
			cr_expect(r == 0 || r == 1 || r == NEVER_CALLED, "%s, call %d", which, n + 1);
		}
}

/* sched_yield: only where two OS threads meet at a lock. mprotect: only where there are no guard markers. fstat: only where a file's bytes are on the
 * disk alone. sigaltstack: not where a sanitizer has set one already. */
static bool may_be_missing(const char *which)
{
	static const char *const all[] = {
		"sched_yield",
		"mprotect",
		"fstat",
#ifdef GEV_ASAN
		"sigaltstack",
#endif
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(which, all[i]) == 0)
			return true;
	return false;
}

static void succeeds(void (*life)(void))
{
	struct attempt a = start(life, "nothing", 0, 0);
	cr_expect_eq(end(&a, "nothing", 0, 0), 0);
}

Test(failing, each_call_by_turn)
{
	made = mmap(NULL, CALLS * sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(made != MAP_FAILED);
	succeeds(live);
	succeeds(live_wide);
	for (size_t i = 0; i < CALLS; i++)
		cr_expect(made[i] > 0 || may_be_missing(calls[i]), "%s is made", calls[i]);
	for (size_t i = 0; i < CALLS; i++) {
		fails_by_turn(live, calls[i]);
		fails_by_turn(live_wide, calls[i]);
	}
}
