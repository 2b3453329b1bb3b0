/* The loop's own descriptors: which number is libev's, when another thread makes one at the same moment. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/sys.h"
#include "lib/core/hub-loop.h"
#include "lib/core/hub.h"

static int probes, stolen = -1;

/* The runtime looks which number libev will get by making a descriptor and closing it; here somebody else is quicker than libev. */
static int close_and_steal(int fd)
{
	int r = close(fd);
	/* The first high one ends the filling of the low numbers. */
	if (fd > 100 && probes++ == 1)
		stolen = epoll_create1(EPOLL_CLOEXEC);
	return r;
}

static void make_a_loop(int fds[2])
{
	char c;
	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(gev_read(fds[0], &c, 1, 0.001), -1);
}

static void *read_one(void *arg)
{
	char c;
	return gev_read(*(int *)arg, &c, 1, 30) == 1 ? arg : NULL;
}

Test(loop, its_epoll_descriptor_is_known)
{
	int fds[2];
	make_a_loop(fds);
	int fd = gev__loop_epoll(gev__hub_here()->loop);
	cr_expect_geq(fd, 100);
	cr_expect(gev__loop_internal(fd));
}

Test(loop, a_descriptor_of_somebody_else_is_not_taken_for_it)
{
	int fds[2];
	void *value = NULL;
	gev__sys.close = close_and_steal;
	make_a_loop(fds);
	cr_assert_gt(stolen, 100, "%d", stolen);
	int fd = gev__loop_epoll(gev__hub_here()->loop);
	cr_expect(fd >= 100 && fd != stolen, "%d", fd);
	cr_expect(gev__loop_internal(fd));
	cr_expect_not(gev__loop_internal(stolen));
	/* And it works all the same. */
	struct gev_greenlet *g = gev_spawn(read_one, fds);
	gev_yield();
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_expect_eq(gev_join(g, 30, &value), 0);
	cr_expect_eq(value, fds);
	/* Nothing of ours stays in the other one's set. */
	struct epoll_event event;
	cr_expect_eq(epoll_wait(stolen, &event, 1, 0), 0);
}
