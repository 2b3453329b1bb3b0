/* Queues and channels: order on both sides, every errno, and that a wait which is broken off loses nothing. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gev/embed.h"

/* From the archive the linker takes only what is referred to; the handlers of fork lie beside this. */
__attribute__((used)) static const struct gev_embed *(*const whole)(void) = gev_embed_v1;

/* The linker leads the library's malloc here. */
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
static bool no_memory;

void *__wrap_malloc(size_t n)
{
	if (!no_memory)
		return __real_malloc(n);
	errno = ENOMEM; /* malloc (POSIX) */
	return NULL;
}

static struct gev_queue *q;
static intptr_t order[16];
static int ordered;

static void note(intptr_t what)
{
	order[ordered++] = what;
}

/* Whether these are the numbers noted since it was asked last. */
static bool were_noted(int n, const intptr_t *wanted)
{
	bool so = ordered == n;
	for (int i = 0; so && i < n; i++)
		so = order[i] == wanted[i];
	ordered = 0;
	return so;
}
#define noted(...)                                                                                                     \
	were_noted((int)(sizeof((const intptr_t[]){__VA_ARGS__}) / sizeof(intptr_t)), (const intptr_t[]){__VA_ARGS__})

/* What a call says: 0, or errno. */
static int said(int r)
{
	return r < 0 ? errno : 0;
}

static int put(intptr_t item, double timeout)
{
	return said(gev_queue_put(q, (void *)item, timeout));
}

/* The item got, or less than zero: the error. */
static intptr_t get(double timeout)
{
	void *item = (void *)-1000;
	int error = said(gev_queue_get(q, &item, timeout));
	cr_expect(error == 0 || item == (void *)-1000, "item was written in vain");
	return error ? -error : (intptr_t)item;
}

static intptr_t peek(double timeout)
{
	void *item = NULL;
	int error = said(gev_queue_peek(q, &item, timeout));
	return error ? -error : (intptr_t)item;
}

static int join(double timeout)
{
	return said(gev_queue_join(q, timeout));
}

static int task_done(void)
{
	return said(gev_queue_task_done(q));
}

static void make(size_t most)
{
	q = gev_queue_new(most);
	cr_assert(q != NULL);
}

/* ---- Who waits: notes the number he was given, and what came of it ---- */

static void *getter(void *arg)
{
	intptr_t item = get(GEV_FOREVER);
	note((intptr_t)arg);
	note(item);
	return NULL;
}

static void *peeker(void *arg)
{
	intptr_t item = peek(GEV_FOREVER);
	note((intptr_t)arg);
	note(item);
	return NULL;
}

/* Puts that number. */
static void *putter(void *arg)
{
	int error = put((intptr_t)arg, GEV_FOREVER);
	note((intptr_t)arg);
	note(error);
	return NULL;
}

static void *joiner(void *arg)
{
	int error = join(GEV_FOREVER);
	note((intptr_t)arg);
	note(error);
	return NULL;
}

static struct gev_greenlet *gs[8];
static int begun;

static struct gev_greenlet *begin(void *(*fn)(void *), intptr_t arg)
{
	struct gev_greenlet *g = gev_spawn(fn, (void *)arg);
	cr_assert(g != NULL);
	gs[begun++] = g;
	gev_yield();
	return g;
}

static void join_all(void)
{
	for (int i = 0; i < begun; i++) {
		cr_expect_eq(gev_join(gs[i], 30, NULL), 0);
		gev_release(gs[i]);
	}
	begun = 0;
}

/* ---- Order ---- */

Test(queue, gives_back_in_order_what_was_put)
{
	make(3);
	cr_expect(gev_queue_is_empty(q) && !gev_queue_is_full(q));
	for (int round = 0; round < 5; round++) {
		cr_expect_eq(put(1, 0), 0);
		cr_expect_eq(put(2, 0), 0);
		cr_expect(!gev_queue_is_empty(q) && !gev_queue_is_full(q) && gev_queue_size(q) == 2);
		cr_expect_eq(put(0, 0), 0, "NULL is an item");
		cr_expect(gev_queue_is_full(q) && gev_queue_size(q) == 3);
		cr_expect_eq(put(4, 0), ETIMEDOUT);
		cr_expect_eq(peek(0), 1);
		cr_expect_eq(get(0), 1);
		cr_expect_eq(get(0), 2);
		cr_expect_eq(get(0), 0);
		cr_expect_eq(get(0), -ETIMEDOUT);
	}
	gev_queue_free(q);
	gev_queue_free(NULL);
}

Test(queue, grows_in_whatever_state_it_is)
{
	enum { ITEMS = 5000, MOST = 100 };
	make(GEV_QUEUE_UNBOUNDED);
	intptr_t in = 0, out = 0;
	while (out < ITEMS) {
		for (int i = 0; i < 3 && in < ITEMS; i++)
			cr_assert_eq(put(in++, 0), 0);
		cr_assert_eq(get(0), out++);
		cr_assert_eq((intptr_t)gev_queue_size(q), in - out);
		cr_assert(!gev_queue_is_full(q));
	}
	gev_queue_free(q);
	make(MOST);
	for (intptr_t i = 0; i < MOST; i++)
		cr_assert_eq(put(i, 0), 0);
	cr_expect_eq(put(MOST, 0), ETIMEDOUT);
	for (intptr_t i = 0; i < MOST; i++)
		cr_assert_eq(get(0), i);
	gev_queue_free(q);
}

Test(queue, serves_getters_first_come_first_served)
{
	make(2);
	for (int i = 1; i <= 4; i++)
		begin(getter, i);
	for (intptr_t i = 10; i <= 40; i += 10)
		cr_expect_eq(put(i, 0), 0, "more than it holds: each goes straight to who waits");
	cr_expect_eq(get(0), -ETIMEDOUT, "all are theirs, though none has run");
	join_all();
	cr_expect(noted(1, 10, 2, 20, 3, 30, 4, 40));
	gev_queue_free(q);
}

Test(queue, lets_nobody_overtake_a_putter)
{
	make(1);
	cr_expect_eq(put(1, 0), 0);
	for (int i = 2; i <= 4; i++)
		begin(putter, i);
	cr_expect_eq(get(0), 1);
	cr_expect_eq(put(5, 0), ETIMEDOUT, "the place is the first putter's, who has not run");
	for (intptr_t i = 2; i <= 4; i++)
		cr_expect_eq(get(0), i);
	cr_expect_eq(put(5, 0), 0);
	join_all();
	cr_expect(noted(2, 0, 3, 0, 4, 0));
	gev_queue_free(q);
}

Test(queue, a_channel_is_where_both_meet)
{
	make(0);
	cr_expect(gev_queue_is_empty(q) && gev_queue_is_full(q));
	cr_expect_eq(put(1, 0), ETIMEDOUT);
	cr_expect_eq(get(0), -ETIMEDOUT);
	for (int i = 1; i <= 3; i++)
		begin(putter, i);
	cr_expect_eq(ordered, 0, "nobody has got it, so nobody has put it");
	cr_expect(gev_queue_size(q) == 0 && gev_queue_is_empty(q) && gev_queue_is_full(q));
	for (int i = 1; i <= 3; i++)
		cr_expect_eq(get(0), i);
	cr_expect_eq(get(0), -ETIMEDOUT);
	join_all();
	cr_expect(noted(1, 0, 2, 0, 3, 0));
	begin(getter, 1);
	begin(getter, 2);
	cr_expect_eq(put(10, 0), 0);
	cr_expect_eq(put(20, 0), 0);
	cr_expect_eq(put(30, 0), ETIMEDOUT);
	join_all();
	cr_expect(noted(1, 10, 2, 20));
	cr_expect_eq(peek(0), -EINVAL);
	gev_queue_free(q);
}

Test(queue, who_peeks_takes_nothing)
{
	make(2);
	begin(peeker, 1);
	begin(getter, 2);
	begin(peeker, 3);
	cr_expect_eq(put(10, 0), 0, "one put serves the first two");
	cr_expect_eq(put(20, 0), 0);
	join_all();
	cr_expect(noted(1, 10, 2, 10, 3, 20));
	cr_expect_eq(get(0), 20);
	gev_queue_free(q);
}

/* ---- Waits that end otherwise ---- */

static void let_all_time_out(double timeout)
{
	cr_expect_eq(get(timeout), -ETIMEDOUT);
	cr_expect_eq(peek(timeout), -ETIMEDOUT);
	cr_expect_eq(put(1, 0), 0);
	cr_expect_eq(put(2, timeout), ETIMEDOUT);
	cr_expect_eq(join(timeout), ETIMEDOUT);
	cr_expect_eq(get(timeout), 1);
	cr_expect_eq(get(0), -ETIMEDOUT, "what timed out was not put");
	cr_expect_eq(task_done(), 0);
	cr_expect_eq(join(timeout), 0);
}

Test(queue, times_out)
{
	make(1);
	let_all_time_out(0.001); /* as an OS thread */
	gev_sleep(0);
	let_all_time_out(0.001);
	let_all_time_out(0);
	let_all_time_out(-1);
	struct gev_timeout t;
	cr_expect_eq(gev_timeout_begin(&t, 0.001), 0);
	cr_expect_eq(get(GEV_FOREVER), -ETIMEDOUT);
	cr_expect(gev_timeout_end(&t));
	cr_expect_eq(put(1, NAN), EINVAL);
	cr_expect_eq(get(NAN), -EINVAL);
	cr_expect_eq(peek(NAN), -EINVAL);
	cr_expect_eq(join(NAN), EINVAL);
	cr_expect_eq(gev_queue_size(q), 0);
	gev_queue_free(q);
}

static void *get_shortly(void *arg)
{
	note(get((double)(intptr_t)arg * 1e-6));
	return NULL;
}

/* The deadline and the item come at about one moment. */
Test(queue, a_wait_that_times_out_loses_no_item)
{
	enum { ROUNDS = 60 };
	make(1);
	for (intptr_t i = 0; i < ROUNDS; i++) {
		begin(get_shortly, 50 + i % 7);
		for (double until = gev_now() + (40 + (double)(i % 23)) * 1e-6; gev_now() < until;)
			continue;
		cr_assert_eq(put(i, 0), 0);
		join_all();
		cr_assert_eq(ordered, 1);
		ordered = 0;
		cr_assert(order[0] == i || order[0] == -ETIMEDOUT);
		cr_assert_eq(get(0), order[0] == i ? -ETIMEDOUT : i);
	}
	gev_queue_free(q);
}

Test(queue, a_kill_breaks_every_wait_off)
{
	make(1);
	begin(getter, 1);
	begin(peeker, 2);
	gev_kill(gs[0]);
	gev_kill(gs[1]);
	join_all();
	cr_expect(noted(1, -ECANCELED, 2, -ECANCELED));
	cr_expect_eq(put(10, 0), 0);
	begin(putter, 3);
	begin(joiner, 4);
	gev_kill(gs[0]);
	gev_kill(gs[1]);
	join_all();
	cr_expect(noted(3, ECANCELED, 4, ECANCELED));
	cr_expect_eq(get(0), 10);
	cr_expect_eq(get(0), -ETIMEDOUT, "what was broken off was not put");
	gev_queue_free(q);
}

Test(queue, a_kill_loses_no_item)
{
	make(0);
	/* Given, then killed; killed, then given, before he has run: it is his in both cases. */
	begin(getter, 1);
	begin(getter, 2);
	cr_expect_eq(put(10, 0), 0);
	gev_kill(gs[0]);
	gev_kill(gs[1]);
	cr_expect_eq(put(20, 0), 0);
	join_all();
	cr_expect(noted(1, 10, 2, 20));
	begin(putter, 1);
	begin(putter, 2);
	cr_expect_eq(get(0), 1);
	gev_kill(gs[0]);
	gev_kill(gs[1]);
	cr_expect_eq(get(0), 2);
	join_all();
	cr_expect(noted(1, 0, 2, 0));
	gev_queue_free(q);
}

static void *killed(void *arg)
{
	gev_kill(gev_self());
	note(put(1, 0));
	note(get(0));
	note(peek(0));
	note(join(0));
	gev_shield_begin();
	note(put(2, 0));
	note(get(0));
	gev_shield_end();
	return NULL;
}

Test(queue, who_was_killed_is_told_even_where_he_would_not_wait)
{
	make(1);
	begin(killed, 0);
	join_all();
	cr_expect(noted(ECANCELED, -ECANCELED, -ECANCELED, ECANCELED, 0, 2));
	gev_queue_free(q);
}

/* ---- Closing ---- */

Test(queue, closed_it_gives_what_it_has_and_takes_nothing)
{
	make(1);
	cr_expect_eq(put(1, 0), 0);
	begin(putter, 2);
	begin(putter, 3);
	gev_queue_close(q);
	gev_queue_close(q);
	join_all();
	cr_expect(noted(2, EPIPE, 3, EPIPE));
	cr_expect_eq(put(4, GEV_FOREVER), EPIPE);
	cr_expect_eq(peek(GEV_FOREVER), 1);
	cr_expect_eq(get(GEV_FOREVER), 1);
	cr_expect_eq(get(GEV_FOREVER), -EPIPE);
	cr_expect_eq(peek(GEV_FOREVER), -EPIPE);
	gev_queue_free(q);
}

Test(queue, its_end_is_told_to_all_who_wait_to_get)
{
	for (size_t most = 0; most < 2; most++) {
		make(most);
		begin(getter, 1);
		begin(most ? peeker : getter, 2);
		begin(getter, 3);
		gev_queue_close(q);
		join_all();
		cr_expect(noted(1, -EPIPE, 2, -EPIPE, 3, -EPIPE));
		gev_queue_free(q);
	}
}

/* ---- Work that is done ---- */

Test(queue, joiners_wait_until_all_is_done)
{
	make(1);
	cr_expect_eq(task_done(), EINVAL);
	cr_expect_eq(join(0), 0, "nothing was put");
	cr_expect_eq(put(1, 0), 0);
	begin(putter, 2);
	begin(joiner, 8);
	begin(joiner, 9);
	cr_expect_eq(get(0), 1);
	cr_expect_eq(get(0), 2);
	cr_expect_eq(task_done(), 0);
	gev_yield();
	cr_expect(noted(2, 0), "one is done, and only the putter has gone on");
	cr_expect_eq(task_done(), 0);
	join_all();
	cr_expect(noted(8, 0, 9, 0));
	cr_expect_eq(task_done(), EINVAL);
	begin(getter, 1);
	cr_expect_eq(put(3, 0), 0);
	cr_expect_eq(join(0), ETIMEDOUT, "one handed over is work too");
	cr_expect_eq(task_done(), 0);
	join_all();
	gev_queue_free(q);
}

/* ---- Where one must not wait ---- */

static void from_link(struct gev_greenlet *g, void *arg)
{
	note(put(7, GEV_FOREVER));
	note(put(8, GEV_FOREVER));
	note(put(8, 0));
	note(get(GEV_FOREVER));
	note(get(GEV_FOREVER));
	note(peek(GEV_FOREVER));
	note(join(GEV_FOREVER));
	note(task_done());
	note(put(9, GEV_FOREVER)); /* straight to who waits */
}

static void *nothing(void *arg)
{
	return NULL;
}

Test(queue, a_link_may_use_it_but_not_wait)
{
	make(1);
	struct gev_greenlet *g = gev_spawn(nothing, NULL);
	cr_assert_eq(gev_link(g, from_link, NULL), 0);
	cr_expect_eq(gev_join(g, 30, NULL), 0);
	cr_expect_eq(gev_sleep(0.001), 0);
	cr_expect(noted(0, EPERM, ETIMEDOUT, 7, -EPERM, -EPERM, EPERM, 0, 0));
	cr_expect_eq(get(0), 9);
	gev_release(g);
	gev_queue_free(q);
}

/* ---- Memory ---- */

Test(queue, without_memory_says_so_and_stays_as_it_was)
{
	no_memory = true;
	cr_expect(gev_queue_new(1) == NULL && errno == ENOMEM);
	no_memory = false;
	make(GEV_QUEUE_UNBOUNDED);
	begin(peeker, 1);
	no_memory = true;
	cr_expect_eq(put(1, 0), ENOMEM);
	no_memory = false;
	intptr_t in = 0;
	do
		no_memory = in > 0; /* the first asks for room, and not the next */
	while (put(in++, 0) == 0);
	cr_expect_eq(said(-1), ENOMEM);
	in--;
	no_memory = false;
	cr_expect_eq((intptr_t)gev_queue_size(q), in);
	cr_expect_eq(put(in++, 0), 0);
	for (intptr_t out = 0; out < in; out++)
		cr_expect_eq(get(0), out);
	join_all();
	cr_expect(noted(1, 0), "who peeked was shown nothing that was not put");
	cr_expect_eq(join(0), ETIMEDOUT);
	while (in-- > 0)
		cr_expect_eq(task_done(), 0);
	cr_expect_eq(join(0), 0);
	gev_queue_free(q);
}

/* ---- Threads and forks ---- */

enum { TURNS = 2000 };

static struct gev_queue *there, *back;

/* Sends each number back, one more. */
static void *answer(void *arg)
{
	void *item;
	while (gev_queue_get(there, &item, 30) == 0)
		cr_assert_eq(gev_queue_put(back, (char *)item + 1, 30), 0);
	cr_expect_eq(errno, EPIPE);
	gev_queue_free(there); /* it was told the end: the closer may not have returned yet */
	return NULL;
}

static void *ask(void *arg)
{
	for (intptr_t i = 0; i < TURNS; i++) {
		void *item = NULL;
		cr_assert_eq(gev_queue_put(there, (void *)i, 30), 0);
		cr_assert_eq(gev_queue_get(back, &item, 30), 0);
		cr_assert_eq((intptr_t)item, i + 1);
	}
	gev_queue_close(there);
	return NULL;
}

Test(queue, a_greenlet_and_a_thread_take_turns)
{
	for (size_t most = 0; most < 2; most++) {
		pthread_t t;
		there = gev_queue_new(most);
		back = gev_queue_new(most);
		cr_assert_eq(pthread_create(&t, NULL, most ? answer : ask, NULL), 0);
		begin(most ? ask : answer, 0);
		join_all();
		cr_expect_eq(pthread_join(t, NULL), 0);
		gev_queue_free(back);
	}
}

static void *leave_a_getter_behind(void *arg)
{
	begin(getter, 1);
	return NULL;
}

Test(queue, who_went_with_his_thread_is_given_nothing)
{
	pthread_t t;
	make(1);
	cr_assert_eq(pthread_create(&t, NULL, leave_a_getter_behind, NULL), 0);
	cr_expect_eq(pthread_join(t, NULL), 0);
	gev_release(gs[0]);
	cr_expect_eq(put(10, 0), 0);
	cr_expect_eq(get(0), 10);
	cr_expect_eq(ordered, 0);
	gev_queue_free(q);
}

/* Which line is not as it should be; 0: all are. */
static int in_the_child(void)
{
	void *item;
	if (gev_queue_size(q) != 1 || gev_queue_get(q, &item, 0) || (intptr_t)item != 1)
		return __LINE__;
	if (gev_queue_get(q, &item, 0) != -1 || errno != ETIMEDOUT)
		return __LINE__; /* who waited to put is not there */
	if (gev_queue_put(q, &item, 0))
		return __LINE__;
	return 0;
}

Test(queue, a_forked_child_has_what_is_in_it_and_nobody_who_waits)
{
	make(1);
	cr_expect_eq(put(1, 0), 0);
	begin(putter, 2);
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		alarm(30);
		_exit(in_the_child() & 0xff);
	}
	cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	cr_expect_eq(status, 0, "status %#x", (unsigned)status);
	cr_expect_eq(get(0), 1);
	join_all();
	cr_expect_eq(get(0), 2);
	gev_queue_free(q);
}
