/* Each libc call of the library fails by turn: the first one, the second, and so on, while a program spawns, sleeps, reads, writes and joins. Every
 * public call either works or says why not; nothing hangs, nothing is touched that is not there. What the runtime cannot go on without ends it with a
 * message. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/sys.h"

enum { NEVER_CALLED = 7 };
static int countdown, failure;

static bool it_fails(void)
{
	return countdown > 0 && --countdown == 0;
}

#define SYS(ret, name, params, args)                                                                                   \
	static ret(*real_##name) params;                                                                               \
	static ret fail_##name params                                                                                  \
	{                                                                                                              \
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

static void replace(const char *which)
{
#define SYS(ret, name, params, args)                                                                                   \
	if (strcmp(#name, which) == 0) {                                                                               \
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
		fine(gev_send(fds[0], &c, 1, 0, 0.05));
		fine(gev_recv(fds[0], &c, 1, 0, 0.05));
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

/* How it ended that the n-th call of `which` failed: 0 well, 1 with a message, NEVER_CALLED if there were not so many, else a status. */
static int try(const char *which, int n, int error)
{
	int said[2];
	if (pipe(said))
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(said[1], STDERR_FILENO);
		alarm(30);
		replace(which);
		countdown = n;
		failure = error;
		live();
	}
	close(said[1]);
	char message[512] = "";
	ssize_t length = read(said[0], message, sizeof message - 1);
	close(said[0]);
	int status = -1;
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == NEVER_CALLED))
		return WEXITSTATUS(status);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && length > 0 && strstr(message, "libgev: "))
		return 1;
	printf("%s, call %d failing with %s: status %#x, said \"%s\"\n", which, n, strerror(error), (unsigned)status,
	       message);
	return status;
}

Test(failing, each_call_by_turn, .timeout = 300)
{
	static const int errors[] = {ENOMEM, EINTR};
	int reached = 0;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		int r = 0;
		for (int n = 1; n <= 12 && r != NEVER_CALLED; n++)
			for (size_t e = 0; e < sizeof errors / sizeof *errors; e++) {
				r = try(calls[i], n, errors[e]);
				cr_expect(r == 0 || r == 1 || r == NEVER_CALLED, "%s, call %d", calls[i], n);
				reached += n == 1 && e == 0 && r != NEVER_CALLED;
			}
	}
	cr_expect_geq(reached, 12, "%d of the calls are made here", reached);
}
