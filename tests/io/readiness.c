/* Waiting for descriptors: order, closing, reused numbers, odd masks. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/sys.h"
#include "lib/core/hub-loop.h"
#include "lib/io/readiness.h"

static int fds[2];

static int64_t soon(void)
{
	return gev__now() + NS_PER_S / 100;
}

static void make_pair(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	gev_sleep(0);
}

Test(readiness, says_which_way)
{
	make_pair();
	cr_expect_eq(gev__fd_wait(fds[0], GEV_READABLE, soon(), 0), -ETIMEDOUT);
	cr_expect_eq(gev__fd_wait(fds[0], GEV_WRITABLE, soon(), 0), GEV_WRITABLE);
	cr_expect_eq(gev__fd_wait(fds[0], GEV_READABLE | GEV_WRITABLE, soon(), 0), GEV_WRITABLE);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_expect_eq(gev__fd_wait(fds[0], GEV_READABLE, soon(), 0), GEV_READABLE);
	cr_expect(gev__fd_wait(fds[0], GEV_READABLE | GEV_WRITABLE, soon(), 0) > 0);
	cr_expect_eq(gev__fd_wait(-1, GEV_READABLE, soon(), 0), -EBADF);
	cr_expect_eq(gev__fd_wait(200, GEV_READABLE, soon(), 0), -EBADF);
}

static char trace[8];
static int n;

static void *read_one(void *arg)
{
	char c = '!';
	if (gev_recv(fds[0], &c, 1, 0, 10) == 1) {
		trace[n++] = *(const char *)arg;
		trace[n++] = c;
	} else {
		trace[n++] = errno == EBADF ? 'B' : '?';
	}
	return NULL;
}

Test(readiness, many_readers_are_served_in_order)
{
	make_pair();
	struct gev_greenlet *a = gev_spawn(read_one, "a"), *b = gev_spawn(read_one, "b");
	gev_yield();
	cr_assert_eq(write(fds[1], "12", 2), 2);
	gev_join(a, 10, NULL);
	gev_join(b, 10, NULL);
	cr_expect_str_eq(trace, "a1b2");
}

Test(readiness, closing_wakes_all_who_wait_with_EBADF)
{
	make_pair();
	struct gev_greenlet *a = gev_spawn(read_one, "a"), *b = gev_spawn(read_one, "b");
	gev_yield();
	cr_expect_eq(gev_close(fds[0]), 0);
	gev_join(a, 10, NULL);
	gev_join(b, 10, NULL);
	cr_expect_str_eq(trace, "BB");
}

Test(readiness, a_reused_number_is_watched_anew)
{
	for (int i = 0; i < 100; i++) {
		make_pair();
		struct gev_greenlet *a = gev_spawn(read_one, "a");
		gev_yield();
		cr_assert_eq(write(fds[1], "1", 1), 1);
		cr_assert_eq(gev_join(a, 10, NULL), 0);
		cr_assert_eq(n, 2);
		n = 0;
		gev_close(fds[0]);
		gev_close(fds[1]);
	}
}

Test(readiness, a_description_that_lives_on_elsewhere_sends_no_late_events)
{
	make_pair();
	int copy = dup(fds[0]);
	cr_expect_eq(gev__fd_wait(fds[0], GEV_READABLE, soon(), 0), -ETIMEDOUT);
	cr_expect_eq(gev_close(fds[0]), 0);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	/* The number is free; the description, readable now, is not. A new descriptor of that number must not see its events. */
	int fresh[2];
	cr_assert_eq(pipe(fresh), 0);
	cr_assert_eq(fresh[0], fds[0]);
	cr_expect_eq(gev__fd_wait(fresh[0], GEV_READABLE, soon(), 0), -ETIMEDOUT);
	cr_expect_eq(gev__fd_wait(copy, GEV_READABLE, soon(), 0), GEV_READABLE);
}

static int recvs;

static ssize_t count_recv(int fd, void *buf, size_t size, int flags)
{
	recvs++;
	return recv(fd, buf, size, flags);
}

static void *echo(void *arg)
{
	char buf[16];
	while (gev_recv(fds[1], buf, sizeof buf, 0, 10) > 0)
		cr_assert_eq(gev_send_all(fds[1], "x", 1, 10), 1);
	return NULL;
}

Test(readiness, a_request_costs_one_recv_on_each_side)
{
	make_pair();
	char buf[16];
	cr_expect_eq(gev_recv(fds[0], buf, sizeof buf, 0, 0.001), -1); /* makes the loop */
	struct gev_greenlet *g = gev_spawn(echo, NULL);
	for (int i = 0; i < 110; i++) {
		if (i == 10)
			gev__sys.recv = count_recv;
		cr_assert_eq(gev_send_all(fds[0], "y", 1, 10), 1);
		cr_assert_eq(gev_recv(fds[0], buf, sizeof buf, 0, 10), 1);
	}
	cr_expect_eq(recvs, 200);
	gev_close(fds[0]);
	gev_join(g, 10, NULL);
}

Test(readiness, a_drained_stream_still_gives_its_end_and_its_last_bytes)
{
	make_pair();
	char buf[16];
	cr_expect_eq(gev_recv(fds[0], buf, sizeof buf, 0, 0.001), -1);
	cr_assert_eq(write(fds[1], "abc", 3), 3);
	cr_expect_eq(gev_recv(fds[0], buf, sizeof buf, 0, 10), 3);
	cr_expect_eq(gev_recv(fds[0], buf, sizeof buf, 0, 0), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_assert_eq(write(fds[1], "de", 2), 2);
	cr_expect_eq(gev_recv(fds[0], buf, sizeof buf, 0, 0), 2, "no wait asked for, none needed");
	cr_assert_eq(shutdown(fds[1], SHUT_WR), 0);
	cr_expect_eq(gev_recv(fds[0], buf, sizeof buf, 0, 10), 0);
	cr_expect_eq(gev_recv(fds[0], buf, sizeof buf, 0, 10), 0);
}

Test(readiness, datagrams_are_tried_first_however_short)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	char buf[16];
	cr_expect_eq(gev_recv(fds[0], buf, sizeof buf, 0, 0.001), -1);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_expect_eq(gev_recv(fds[0], buf, sizeof buf, 0, 10), 1);
	cr_expect_not(gev__fd_drained(fds[0]));
}

Test(readiness, of_many_says_how_many)
{
	make_pair();
	struct gev_fd_want want[20];
	for (int i = 0; i < 20; i++)
		want[i] = (struct gev_fd_want){.fd = i == 7 ? -1 : fds[0], .events = GEV_READABLE};
	cr_expect_eq(gev__fds_wait(want, 20, soon(), 0), 0);
	want[3] = (struct gev_fd_want){.fd = fds[1], .events = GEV_READABLE | GEV_WRITABLE};
	cr_expect_eq(gev__fds_wait(want, 20, soon(), 0), 1);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_expect_geq(gev__fds_wait(want, 20, soon(), 0), 1);
	cr_expect_eq(gev__fds_wait(NULL, 0, soon(), 0), 0);
}

Test(readiness, odd_masks_wait_in_a_set_of_their_own)
{
	make_pair();
	struct gev_fd_want want = {.fd = fds[0], .poll_events = POLLRDHUP};
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_expect_eq(gev__fds_wait(&want, 1, soon(), 0), 0, "readable is not what was asked for");
	cr_assert_eq(shutdown(fds[1], SHUT_WR), 0);
	cr_expect_eq(gev__fds_wait(&want, 1, soon(), 0), 1);
}

Test(readiness, a_regular_file_never_blocks)
{
	gev_sleep(0);
	int fd = open("/proc/self/exe", O_RDONLY);
	cr_assert_geq(fd, 0);
	int r = gev__fd_wait(fd, GEV_READABLE, soon(), 0);
	cr_expect(r == GEV_READABLE || r == -EPERM, "%d", r);
}

Test(readiness, the_runtimes_own_descriptors_cannot_be_waited_for)
{
	make_pair();
	cr_expect_eq(gev__fd_wait(fds[0], GEV_READABLE, soon(), 0), -ETIMEDOUT); /* now there is a loop */
	int own = gev__loop_internal_next(0);
	cr_assert_geq(own, 0);
	for (; own >= 0; own = gev__loop_internal_next(own + 1))
		cr_expect_eq(gev__fd_wait(own, GEV_READABLE, soon(), GEV_FD_OPEN), -EBADF);
}

static void *wait_for_hang_up(void *arg)
{
	struct gev_fd_want want[2] = {{.fd = fds[0], .poll_events = POLLRDHUP}, {.fd = -1}};
	return (void *)(intptr_t)gev__fds_wait(want, arg ? 2 : 1, gev__now() + 10 * NS_PER_S, 0);
}

static intptr_t hang_up(struct gev_greenlet *g)
{
	close(fds[1]);
	void *ready = NULL;
	cr_expect_eq(gev_join(g, 10, &ready), 0);
	return (intptr_t)ready;
}

Test(readiness, the_set_for_odd_masks_is_the_runtimes_own)
{
	make_pair();
	int free_now = dup(fds[0]);
	close(free_now);
	struct gev_greenlet *g = gev_spawn(wait_for_hang_up, &free_now);
	gev_yield();
	cr_expect(gev__loop_internal(free_now));
	cr_expect_eq(hang_up(g), 1);
	cr_expect_not(gev__loop_internal(free_now));
}

Test(readiness, an_odd_mask_of_one_descriptor_takes_no_number_of_the_programs)
{
	make_pair();
	int free_now = dup(fds[0]);
	close(free_now);
	struct gev_greenlet *g = gev_spawn(wait_for_hang_up, NULL);
	gev_yield();
	cr_expect_eq(fcntl(free_now, F_GETFD), -1);
	cr_expect_eq(hang_up(g), 1);
}

static void *wait_for_odd(void *arg)
{
	struct gev_fd_want want = {.fd = fds[0], .poll_events = (short)(intptr_t)arg};
	return (void *)(intptr_t)gev__fds_wait(&want, 1, gev__now() + 10 * NS_PER_S, 0);
}

static int calls;

static int counted_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	calls++;
	return epoll_ctl(epoll, op, fd, event);
}

static int counted_create(int flags)
{
	calls += 100;
	return epoll_create1(flags);
}

Test(readiness, waiting_again_for_an_odd_mask_costs_no_epoll_ctl)
{
	make_pair();
	struct gev_fd_want want = {.fd = fds[0], .poll_events = POLLIN | POLLPRI};
	cr_expect_eq(gev__fds_wait(&want, 1, soon(), 0), 0);
	gev__sys.epoll_ctl = counted_ctl;
	gev__sys.epoll_create1 = counted_create;
	for (int i = 0; i < 10; i++)
		cr_expect_eq(gev__fds_wait(&want, 1, soon(), 0), 0);
	cr_expect_eq(calls, 0, "%d", calls);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	for (int i = 0; i < 10; i++)
		cr_expect_eq(gev__fds_wait(&want, 1, soon(), 0), 1);
	cr_expect_eq(calls, 0, "%d", calls);
}

Test(readiness, of_a_socket_it_only_asks_whether_it_is_open)
{
	make_pair();
	char bytes[16];
	cr_expect_eq(gev__fd_wait(fds[1], GEV_READABLE, soon(), 0), -ETIMEDOUT); /* now there is a set */
	gev__sys.epoll_ctl = counted_ctl;
	/* The record of its read says that it is one. */
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_assert_eq(gev_recv(fds[0], bytes, sizeof bytes, 0, 1), 1);
	cr_expect_eq(gev_recv(fds[0], bytes, sizeof bytes, 0, 0.01), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_eq(calls, 0, "%d", calls);
	/* The caller says it. */
	make_pair();
	cr_expect_eq(gev__fd_wait(fds[0], GEV_READABLE, soon(), GEV_FD_SOCKET), -ETIMEDOUT);
	cr_expect_eq(calls, 0, "%d", calls);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_expect_eq(gev__fd_wait(fds[0], GEV_READABLE, soon(), GEV_FD_SOCKET), GEV_READABLE);
	/* Nobody says it. */
	make_pair();
	cr_expect_eq(gev__fd_wait(fds[0], GEV_READABLE, soon(), 0), -ETIMEDOUT);
	cr_expect_eq(calls, 2, "%d", calls);
}

Test(readiness, a_socket_closed_behind_it_is_EBADF)
{
	make_pair();
	char bytes[16];
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_assert_eq(gev_recv(fds[0], bytes, sizeof bytes, 0, 1), 1);
	close(fds[0]);
	errno = 0;
	cr_expect_eq(gev_recv(fds[0], bytes, sizeof bytes, 0, 0.01), -1);
	cr_expect_eq(errno, EBADF);
	close(fds[1]);
	cr_expect_eq(gev__fd_wait(fds[1], GEV_READABLE, soon(), GEV_FD_SOCKET), -EBADF);
}

Test(readiness, an_odd_mask_in_which_nobody_is_interested_leaves_the_set)
{
	make_pair();
	cr_expect_eq(gev__fd_poll(fds[0], POLLIN | POLLPRI, soon(), 0), 0);
	gev__sys.epoll_ctl = counted_ctl;
	cr_assert_eq(write(fds[1], "x", 1), 1);
	gev_sleep(0.02);
	gev_sleep(0.02);
	int left = calls;
	cr_expect_geq(left, 1);
	gev_sleep(0.02);
	gev_sleep(0.02);
	cr_expect_eq(calls, left, "out of the set it says nothing any more");
	cr_expect_eq(gev__fd_poll(fds[0], POLLIN | POLLPRI, soon(), 0), POLLIN);
	cr_expect_gt(calls, left);
}

Test(readiness, an_odd_mask_that_somebody_still_asks_for_stays)
{
	make_pair();
	struct gev_greenlet *hang = gev_spawn(wait_for_odd, (void *)(intptr_t)POLLRDHUP);
	cr_expect_eq(gev__fd_poll(fds[0], POLLIN | POLLPRI, soon(), 0), 0);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	gev_sleep(0.02); /* in the byte nobody is interested */
	gev_sleep(0.02);
	cr_expect_eq(hang_up(hang), 1);
}

Test(readiness, of_one_descriptor_it_says_what_poll_would)
{
	static const struct {
		short mask;
		int said;
	} rows[] = {{POLLIN, POLLIN},
		    {POLLIN | POLLPRI, POLLIN},
		    {POLLIN | POLLRDHUP, POLLIN | POLLRDHUP},
		    {POLLRDHUP, POLLRDHUP},
		    {POLLPRI, 0}};
	make_pair();
	/* Once each, so that libev knows what it watches; it is asked now and then all the same. */
	cr_expect_eq(gev__fd_poll(fds[0], POLLIN, soon(), 0), 0);
	cr_expect_eq(gev__fd_poll(fds[0], POLLIN | POLLPRI, soon(), 0), 0);
	cr_expect_eq(gev__fd_poll(-1, POLLIN, soon(), 0), GEV_FD_ASK);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_assert_eq(shutdown(fds[1], SHUT_WR), 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int exact = 0;
		for (int tries = 0; tries < 100; tries++) {
			int said = gev__fd_poll(fds[0], rows[i].mask, soon(), 0);
			cr_expect(said == rows[i].said || said == GEV_FD_ASK, "%zu: %x", i, (unsigned)said);
			exact += said == rows[i].said;
			if (rows[i].said == 0)
				break;
		}
		cr_expect_gt(exact, 0, "%zu", i);
	}
}

static void *poll_in(void *arg)
{
	return (void *)(intptr_t)gev__fd_poll(fds[0], arg ? POLLIN | POLLPRI : POLLIN, gev__now() + 10 * NS_PER_S, 0);
}

Test(readiness, of_several_who_wait_for_one_each_has_to_ask)
{
	for (intptr_t odd = 0; odd < 2; odd++) {
		make_pair();
		struct gev_greenlet *g[2];
		for (int i = 0; i < 2; i++)
			g[i] = gev_spawn(poll_in, (void *)odd);
		gev_yield();
		cr_assert_eq(write(fds[1], "x", 1), 1);
		for (int i = 0; i < 2; i++) {
			void *said = NULL;
			cr_expect_eq(gev_join(g[i], 10, &said), 0);
			cr_expect_eq((intptr_t)said, GEV_FD_ASK);
		}
	}
}

Test(readiness, two_wait_for_different_odd_masks_of_one_descriptor)
{
	make_pair();
	struct gev_greenlet *hang = gev_spawn(wait_for_odd, (void *)(intptr_t)POLLRDHUP);
	struct gev_greenlet *data = gev_spawn(wait_for_odd, (void *)(intptr_t)(POLLIN | POLLPRI));
	gev_yield();
	cr_assert_eq(write(fds[1], "x", 1), 1);
	void *ready = NULL;
	cr_expect_eq(gev_join(data, 10, &ready), 0);
	cr_expect_eq((intptr_t)ready, 1);
	/* He may have been woken for nothing, and is to ask again: readiness is a hint. */
	cr_expect_eq(hang_up(hang), 1);
}

static int counted_poll(struct pollfd *p, nfds_t count, int timeout)
{
	calls++;
	return poll(p, count, timeout);
}

static void *write_when_waited_for(void *arg)
{
	cr_assert_eq(write(fds[1], "x", 1), 1);
	return arg;
}

Test(readiness, a_poll_after_a_read_that_took_all_asks_the_kernel_nothing)
{
	enum { ROUNDS = 20 };
	char bytes[8];
	make_pair();
	struct pollfd p = {.fd = fds[0], .events = POLLIN};
	gev__sys.poll = counted_poll;
	for (int i = 0; i < ROUNDS; i++) {
		struct gev_greenlet *g = gev_spawn(write_when_waited_for, NULL);
		cr_assert_eq(gev_poll(&p, 1, 10), 1);
		cr_expect_eq(p.revents, POLLIN);
		gev_join(g, 10, NULL);
		cr_expect_eq(gev_recv(fds[0], bytes, sizeof bytes, 0, 1), 1);
	}
	/* The first round knows nothing yet, and now and then libev looks itself. */
	cr_expect_lt(calls, ROUNDS, "%d", calls);
	calls = 0;
	cr_expect_eq(gev_poll(&p, 1, 0), 0);
	cr_expect_eq(calls, 1, "who does not wait is told by the kernel");
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_expect_eq(gev_poll(&p, 1, 10), 1);
	cr_expect_eq(gev_recv(fds[0], bytes, sizeof bytes, 0, 1), 1, "and does not wait first");
}

Test(readiness, a_number_that_stands_for_another_file_is_watched_anew)
{
	make_pair();
	int other[2], kept = dup(fds[0]);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
	struct gev_fd_want want = {.fd = fds[0], .poll_events = POLLIN | POLLPRI};
	cr_expect_eq(gev__fds_wait(&want, 1, soon(), 0), 0);
	gev__fd_closing(fds[0]);
	cr_assert_eq(dup2(other[0], fds[0]), fds[0]);
	gev__fd_closed(fds[0]);
	cr_assert_eq(write(other[1], "x", 1), 1);
	cr_expect_eq(gev__fds_wait(&want, 1, gev__now() + 10 * NS_PER_S, 0), 1);
	close(kept);
}
