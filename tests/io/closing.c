/* The end of a descriptor that others wait for: by the same hub, another one, a plain OS thread; and the next descriptor of that number. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/sys.h"
#include "lib/core/hub-loop.h"
#include "lib/io/readiness.h"

static int fds[2];

static int64_t in_ms(int ms)
{
	return gev__now() + ms * (NS_PER_S / 1000);
}

static void make_pair(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}

/* ---- Who closes ---- */

enum kind { READS, WRITES, WAITS_BOTH, POLLS, POLLS_ODDLY, KINDS };

/* What a waiter of that kind is told: 0 or more, or -errno. */
static void *wait_as(void *arg)
{
	static char big[1 << 20];
	char c;
	struct gev_fd_want want = {.fd = fds[0], .events = GEV_READABLE};
	ssize_t r = -1;
	switch ((enum kind)(intptr_t)arg) {
	case READS:
		r = gev_recv(fds[0], &c, 1, 0, 60);
		break;
	case WRITES:
		r = gev_send_all(fds[0], big, sizeof big, 60);
		cr_expect_lt(r, (ssize_t)sizeof big);
		return (void *)(intptr_t)-errno;
	case WAITS_BOTH: /* full by now, and empty */
		return (void *)(intptr_t)gev__fd_wait(fds[0], GEV_READABLE | GEV_WRITABLE, in_ms(60000), 0);
	case POLLS:
		return (void *)(intptr_t)gev__fds_wait(&want, 1, in_ms(60000), 0);
	case POLLS_ODDLY:
		want = (struct gev_fd_want){.fd = fds[0], .poll_events = POLLPRI};
		return (void *)(intptr_t)gev__fds_wait(&want, 1, in_ms(60000), 0);
	case KINDS:
		break;
	}
	return (void *)(intptr_t)(r < 0 ? -errno : r);
}

static pthread_barrier_t meet;

static void *close_plainly(void *arg)
{
	pthread_barrier_wait(&meet);
	gev_close(fds[0]);
	return NULL;
}

static void *close_from_a_hub(void *arg)
{
	char c;
	int mine[2];
	cr_assert_eq(pipe(mine), 0);
	cr_assert_eq(gev_read(mine[0], &c, 1, 0.001), -1); /* a hub with a loop */
	return close_plainly(arg);
}

static void *close_here(void *arg)
{
	gev_close(fds[0]);
	return NULL;
}

static void everybody_returns(void *(*closer)(void *), bool elsewhere)
{
	struct gev_greenlet *g[KINDS];
	pthread_t t;
	make_pair();
	for (intptr_t i = 0; i < KINDS; i++) {
		g[i] = gev_spawn(wait_as, (void *)i);
		gev_yield();
	}
	pthread_barrier_init(&meet, NULL, 2);
	if (elsewhere) {
		cr_assert_eq(pthread_create(&t, NULL, closer, NULL), 0);
		pthread_barrier_wait(&meet);
	} else {
		closer(NULL);
	}
	for (int i = 0; i < KINDS; i++) {
		void *told = NULL;
		cr_assert_eq(gev_join(g[i], 60, &told), 0);
		cr_expect_eq((intptr_t)told, -EBADF, "kind %d: %d", i, (int)(intptr_t)told);
	}
	if (elsewhere)
		pthread_join(t, NULL);
}

Test(closing, by_the_same_hub)
{
	everybody_returns(close_here, false);
}

Test(closing, by_a_plain_thread)
{
	everybody_returns(close_plainly, true);
}

Test(closing, by_another_hub)
{
	everybody_returns(close_from_a_hub, true);
}

/* ---- The next descriptor of that number ---- */

static void *recv_here(void *arg)
{
	char c = '!';
	ssize_t r = gev_recv(fds[0], &c, 1, 0, 60);
	return (void *)(intptr_t)(r == 1 ? c : -errno);
}

/* A new socket under that very number, with one byte to read; the other end. */
static int reopen(int number, char byte)
{
	int pair[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	if (pair[0] != number) {
		cr_assert_eq(dup2(pair[0], number), number);
		close(pair[0]);
	}
	cr_assert_eq(write(pair[1], &byte, 1), 1);
	return pair[1];
}

Test(closing, who_was_ready_but_has_not_run_is_not_given_the_next_one)
{
	make_pair();
	struct gev_greenlet *g = gev_spawn(recv_here, NULL);
	gev_yield();
	cr_assert_eq(gev__fd_wait(fds[1], GEV_WRITABLE, in_ms(1000), 0), GEV_WRITABLE); /* the hub watches */
	cr_assert_eq(write(fds[1], "o", 1), 1);
	struct gev_fd_want want = {.fd = fds[0], .events = GEV_READABLE};
	cr_assert_eq(gev__fds_wait(&want, 1, in_ms(1000), 0), 1); /* woken together with g, and runs first or second */
	if (!gev_is_done(g)) {
		gev_close(fds[0]);
		close(reopen(fds[0], 'n'));
	}
	void *got = NULL;
	cr_assert_eq(gev_join(g, 60, &got), 0);
	cr_expect((intptr_t)got == -EBADF || (intptr_t)got == 'o', "%d", (int)(intptr_t)got);
}

Test(closing, a_waiter_delivered_and_closed_in_one_turn_is_told_EBADF)
{
	make_pair();
	struct gev_greenlet *g = gev_spawn(recv_here, NULL);
	gev_yield();
	cr_assert_eq(gev__fd_wait(fds[1], GEV_WRITABLE, in_ms(1000), 0), GEV_WRITABLE);
	cr_assert_eq(write(fds[1], "o", 1), 1);
	/* The look makes g ready behind us; we close before its turn. */
	int error;
	gev__loop_poll(gev__loop_get(gev__hub_here(), &error));
	gev_close(fds[0]);
	int other = reopen(fds[0], 'n');
	void *got = NULL;
	cr_assert_eq(gev_join(g, 60, &got), 0);
	cr_expect_eq((intptr_t)got, -EBADF);
	/* And whoever comes now gets what is the new one's. */
	cr_expect_eq((intptr_t)recv_here(NULL), 'n');
	close(other);
}

/* Hubs wait for one number, each by a greenlet; a plain thread, or a hub's, closes it and opens it anew; all must be told of the end, and then find the
 * new one. */
enum { HUBS = 3, TURNS = 400 };

static int number;
static int waiting, told_wrongly, turn;
static int reopened = -1;

static void *count_in(void *arg)
{
	/* Behind the reader in this hub's queue: it is parked by now. */
	__atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *reader(void *arg)
{
	char c = 0;
	ssize_t r = gev_recv(number, &c, 1, MSG_PEEK, 60);
	if (r >= 0 || errno != EBADF)
		__atomic_add_fetch(&told_wrongly, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *hub(void *arg)
{
	char c;
	for (int i = 0; i < TURNS; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != i)
			sched_yield();
		struct gev_greenlet *g = gev_spawn(reader, NULL);
		gev_release(gev_spawn(count_in, NULL));
		cr_assert_eq(gev_join(g, 60, NULL), 0);
		gev_release(g);
		/* The new one has a byte from the start. */
		while (__atomic_load_n(&reopened, __ATOMIC_SEQ_CST) != i)
			sched_yield();
		if (gev_recv(number, &c, 1, MSG_PEEK, 60) != 1 || c != 'n')
			__atomic_add_fetch(&told_wrongly, 1, __ATOMIC_SEQ_CST);
		count_in(NULL);
	}
	return NULL;
}

static void await(int n)
{
	while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) < n)
		sched_yield();
}

static void *close_in_turns(void *arg)
{
	bool keep = arg != NULL; /* a copy of the description lives on, and its events */
	for (int i = 0; i < TURNS; i++) {
		await(HUBS);
		int copy = keep ? dup(number) : -1;
		gev_close(number);
		if (keep)
			cr_assert_eq(write(fds[1], "x", 1), 1);
		int other = reopen(number, 'n');
		__atomic_store_n(&reopened, i, __ATOMIC_SEQ_CST);
		await(2 * HUBS);
		if (keep)
			close(copy);
		close(fds[1]);
		gev_close(number);
		close(other);
		/* The next turn's: nothing to read. */
		int pair[2];
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		if (pair[0] != number) {
			cr_assert_eq(dup2(pair[0], number), number);
			close(pair[0]);
		}
		fds[1] = pair[1];
		__atomic_store_n(&waiting, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&turn, i + 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void *close_in_turns_as_a_hub(void *arg)
{
	gev_sleep(0.001);
	return close_in_turns(arg);
}

static void many_hubs(void *(*closer)(void *), void *keep)
{
	pthread_t t[HUBS + 1];
	make_pair();
	number = fds[0];
	for (int i = 0; i < HUBS; i++)
		cr_assert_eq(pthread_create(&t[i], NULL, hub, NULL), 0);
	cr_assert_eq(pthread_create(&t[HUBS], NULL, closer, keep), 0);
	for (int i = 0; i <= HUBS; i++)
		pthread_join(t[i], NULL);
	cr_expect_eq(told_wrongly, 0, "%d of %d", told_wrongly, HUBS * TURNS * 2);
}

Test(closing, a_plain_thread_replaces_what_several_hubs_wait_for)
{
	many_hubs(close_in_turns, NULL);
}

Test(closing, a_hub_replaces_what_several_hubs_wait_for)
{
	many_hubs(close_in_turns_as_a_hub, NULL);
}

Test(closing, the_late_events_of_a_copy_are_not_the_next_ones)
{
	many_hubs(close_in_turns, "keep");
}

/* ---- Waits that begin while others close, without order between the two: nothing but the errors of the calls themselves, and no abort ---- */

static bool stop;
static int ends[8];

static void *storm_reader(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	char c;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		int fd = __atomic_load_n(&ends[rand_r(&seed) % 8], __ATOMIC_RELAXED);
		if (gev_recv(fd, &c, 1, 0, 0.001) < 0)
			cr_assert(errno == EBADF || errno == ETIMEDOUT || errno == ENOTSOCK, "%d", errno);
	}
	return NULL;
}

static void *storm_hub(void *arg)
{
	struct gev_greenlet *g[8];
	for (uintptr_t i = 0; i < 8; i++)
		g[i] = gev_spawn(storm_reader, (void *)((uintptr_t)arg * 8 + i));
	for (int i = 0; i < 8; i++) {
		gev_join(g[i], 60, NULL);
		gev_release(g[i]);
	}
	return NULL;
}

static void *storm_closer(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	for (int i = 0; i < 3000; i++) {
		int at = rand_r(&seed) % 4 * 2 + (int)((uintptr_t)arg & 1);
		int pair[2];
		gev_close(ends[at]);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) {
			__atomic_store_n(&ends[at], pair[0], __ATOMIC_RELAXED);
			gev_close(pair[1]); /* its number may be one that a reader has in hand still */
		}
	}
	return NULL;
}

Test(closing, in_a_storm_libev_never_meets_a_closed_number)
{
	pthread_t hubs[2], closers[2];
	for (int i = 0; i < 8; i++) {
		make_pair();
		ends[i] = fds[0];
		close(fds[1]);
	}
	for (uintptr_t i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&hubs[i], NULL, storm_hub, (void *)(i + 1)), 0);
	for (uintptr_t i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&closers[i], NULL, storm_closer, (void *)(i + 100)), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(closers[i], NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(hubs[i], NULL);
}

/* ---- A close that nobody announced ---- */

static int epoll_now(void)
{
	int error;
	return gev__loop_epoll(gev__loop_get(gev__hub_here(), &error));
}

Test(closing, an_epoll_descriptor_that_libev_makes_anew_is_the_runtimes_own_too)
{
	char c;
	int quiet[2];
	cr_assert_eq(pipe(quiet), 0);
	make_pair();
	cr_assert_eq(gev_recv(fds[0], &c, 1, 0, 0.001), -1);
	int before = epoll_now(), copy = dup(fds[0]);
	cr_assert_geq(before, 0);
	close(fds[0]);
	cr_assert_eq(write(fds[1], "x", 1), 1); /* an event under a number that is closed */
	for (int i = 0; i < 200 && fcntl(before, F_GETFD) >= 0 && epoll_now() == before; i++)
		cr_assert_eq(gev_read(quiet[0], &c, 1, 0.001), -1);
	int now = epoll_now();
	cr_assert_geq(now, 100, "libev's new descriptor is found, and high");
	cr_expect(gev__loop_internal(now));
	cr_expect_eq(gev_recv(copy, &c, 1, 0, 1), 1);
	cr_assert_eq(write(quiet[1], "y", 1), 1);
	cr_expect_eq(gev_read(quiet[0], &c, 1, 1), 1);
	int low = dup(copy);
	cr_expect_lt(low, 100);
}

/* ---- A number that another thread gives away while libev makes its descriptor ---- */

static int given_away = -1;
static int (*real_close)(int fd);

/* At the second such call, the last before libev's: it closes the number that has just been found to be the next one. */
static int close_and_give_away(int fd)
{
	static int calls;
	int r = real_close(fd);
	if (fd >= 100 && ++calls == 2) {
		real_close(given_away);
		given_away = -1;
		gev__sys.close = real_close;
	}
	return r;
}

static void give_away_at_the_next_loop(int fd)
{
	given_away = fd;
	real_close = gev__sys.close;
	gev__sys.close = close_and_give_away;
}

static void nobody_waits_for_libevs_own(int stale)
{
	char c;
	cr_expect_eq(gev_fd_wait(stale, GEV_READABLE, 1), -1);
	cr_expect_eq(errno, EBADF);
	cr_expect_eq(gev_read(stale, &c, 1, 1), -1);
	cr_expect_eq(epoll_now(), stale, "libev has got the number");
	cr_expect(gev__loop_internal(stale));
}

Test(closing, a_number_that_libev_has_taken_meanwhile_is_never_given_to_it)
{
	make_pair();
	gev_sleep(0);
	int stale = fds[0];
	give_away_at_the_next_loop(stale);
	nobody_waits_for_libevs_own(stale);
}

Test(closing, nor_one_that_it_takes_when_it_begins_anew)
{
	char c;
	int quiet[2];
	cr_assert_eq(pipe(quiet), 0);
	make_pair();
	int stale = dup(quiet[1]);
	cr_assert_eq(gev_recv(fds[0], &c, 1, 0, 0.001), -1);
	int copy = dup(fds[0]);
	close(fds[0]);
	give_away_at_the_next_loop(stale);
	cr_assert_eq(write(fds[1], "x", 1), 1); /* an event under a number that is closed */
	for (int i = 0; i < 200 && given_away >= 0; i++)
		cr_assert_eq(gev_read(quiet[0], &c, 1, 0.001), -1);
	nobody_waits_for_libevs_own(stale);
	cr_expect_eq(gev_recv(copy, &c, 1, 0, 1), 1);
}

/* ---- Between the announcement and the close ---- */

Test(closing, a_wait_that_begins_during_a_close_asks_the_kernel)
{
	char c = 0;
	make_pair();
	gev_sleep(0);
	gev__fd_closing(fds[0]);
	double start = gev_now();
	cr_expect_eq(gev_recv(fds[0], &c, 1, 0, 0.01), -1);
	cr_expect_eq(errno, ETIMEDOUT, "open still, and empty");
	cr_expect_geq(gev_now() - start, 0.01);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_expect_eq(gev_recv(fds[0], &c, 1, 0, 1), 1);
	gev__fd_closed(fds[0]);
	close(fds[0]);
	cr_expect_eq(gev_recv(fds[0], &c, 1, 0, 1), -1);
	cr_expect_eq(errno, EBADF);
}
