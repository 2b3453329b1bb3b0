/* The random test of several hubs: the steps on what is no handle: semaphores, wakes, pipes, descriptors that others close, real threads. */
#include "tests/hubs/random.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define US INT64_C(1000)

static double soon(struct doer *me)
{
	return (double)below(&me->rng, 500) * 1e-6;
}

/* ---- Semaphores: greenlets and threads wait in one queue; what is put back is never lost, and never doubled ---- */

enum { SEMAPHORES = 4 };

static struct semaphore {
	int value; /* under the lock of its queue */
	int most;
	int inside;   /* atomic */
	long guarded; /* plain, where most is 1 */
	long uses;    /* atomic */
} semaphores[SEMAPHORES] = {
	{.value = 1, .most = 1}, {.value = 1, .most = 1}, {.value = 2, .most = 2}, {.value = 3, .most = 3}};

static bool none_left(void *arg)
{
	struct semaphore *s = arg;
	if (s->value == 0)
		return true;
	s->value--;
	return false;
}

static uintptr_t keep_if_nobody(void *arg, bool woken, bool more)
{
	struct semaphore *s = arg;
	s->value += !woken;
	return 0;
}

static void put_back(struct doer *me, struct semaphore *s)
{
	static bool lost;
	/* Once: somebody would wait for ever. */
	if (world.fault == FAULT_LOSE && s->most == 3 && !__atomic_exchange_n(&lost, true, __ATOMIC_RELAXED))
		return;
	if (one_in(&me->rng, 4))
		world.rt->lot_wake_one_async(s, keep_if_nobody);
	else
		world.rt->lot_wake_one(s, keep_if_nobody, s);
	if (world.fault == FAULT_TWICE && one_in(&me->rng, 50))
		world.rt->lot_wake_one(s, keep_if_nobody, s);
}

void step_semaphore(struct doer *me)
{
	struct semaphore *s = &semaphores[below(&me->rng, SEMAPHORES)];
	bool waits_for_ever = one_in(&me->rng, 2);
	unsigned flags = one_in(&me->rng, 2) ? GEV_PARK_KILLABLE : GEV_PARK_PLAIN;
	int64_t deadline = waits_for_ever ? GEV_NEVER : gev__now() + below(&me->rng, 400) * US;
	int r = world.rt->lot_wait(s, none_left, NULL, s, deadline, flags, NULL);
	if (r == -ETIMEDOUT || r == -ECANCELED) {
		check(r != -ETIMEDOUT || !waits_for_ever, "a wait without end has timed out");
		check(r != -ECANCELED || (me->on_hub && (flags & GEV_PARK_KILLABLE) && gev_is_killed()),
		      "a wait was cut off for nothing");
		return;
	}
	check(r == 0 || r == -EAGAIN, "lot_wait: %d", r);
	int inside = __atomic_add_fetch(&s->inside, 1, __ATOMIC_RELAXED);
	check(inside <= s->most, "%d inside a semaphore of %d", inside, s->most);
	if (s->most == 1)
		s->guarded++;
	__atomic_add_fetch(&s->uses, 1, __ATOMIC_RELAXED);
	if (me->on_hub && one_in(&me->rng, 2))
		gev_sleep(soon(me) / 4);
	else if (one_in(&me->rng, 2))
		sched_yield();
	__atomic_sub_fetch(&s->inside, 1, __ATOMIC_RELAXED);
	put_back(me, s);
}

static void semaphores_end(void)
{
	for (int i = 0; i < SEMAPHORES; i++) {
		const struct semaphore *s = &semaphores[i];
		check(s->value == s->most, "semaphore %d has %d of %d at the end", i, s->value, s->most);
		check(s->most != 1 || s->guarded == s->uses, "%ld of %ld went through semaphore %d", s->guarded,
		      s->uses, i);
	}
}

/* ---- Park, and a promise that somebody will wake ---- */

enum { ASKS = 16 };

static struct ask {
	int state; /* atomic: 0 free, 1 being written, 2 waits, 3 being read */
	struct gev_greenlet *g;
	bool *answered; /* atomic */
} asks[ASKS];

void step_ask(struct doer *me)
{
	struct ask *a = &asks[below(&me->rng, ASKS)];
	int empty = 0;
	bool answered = false;
	if (!__atomic_compare_exchange_n(&a->state, &empty, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	a->g = gev_ref(gev_self());
	a->answered = &answered;
	__atomic_store_n(&a->state, 2, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&answered, __ATOMIC_ACQUIRE)) {
		int r = world.rt->park(GEV_NEVER, GEV_PARK_PLAIN);
		check(r == 0, "park: %d", r);
	}
}

void step_answer(struct doer *me)
{
	for (int i = 0; i < ASKS; i++) {
		int waits = 2;
		if (!__atomic_compare_exchange_n(&asks[i].state, &waits, 3, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		struct gev_greenlet *g = asks[i].g;
		bool *answered = asks[i].answered;
		__atomic_store_n(&asks[i].state, 0, __ATOMIC_RELEASE);
		/* From here on it may go on by itself, and end; the handle is what makes the wake right. */
		__atomic_store_n(answered, true, __ATOMIC_RELEASE);
		world.rt->wake(g);
		gev_release(g);
	}
}

/* ---- Pipes: what goes in comes out, whoever is killed meanwhile ---- */

enum { PIPES = 4 };

static int pipes[PIPES][2];
static long sent, received; /* atomic */

static void check_cut_off(const char *call)
{
	check(errno == ETIMEDOUT || (errno == ECANCELED && gev_is_killed()), "%s: errno %d", call, errno);
}

void step_send(struct doer *me)
{
	int value = 1 + (int)below(&me->rng, 1000);
	if (gev_send(pipes[below(&me->rng, PIPES)][1], &value, sizeof value, 0, soon(me)) == sizeof value)
		__atomic_add_fetch(&sent, value, __ATOMIC_RELAXED);
	else
		check_cut_off("send");
}

void step_recv(struct doer *me)
{
	int value = 0;
	if (gev_recv(pipes[below(&me->rng, PIPES)][0], &value, sizeof value, 0, soon(me)) == sizeof value)
		__atomic_add_fetch(&received, value, __ATOMIC_RELAXED);
	else
		check_cut_off("recv");
}

void step_poll(struct doer *me)
{
	struct pollfd fds[PIPES];
	for (int i = 0; i < PIPES; i++)
		fds[i] = (struct pollfd){.fd = pipes[i][0], .events = POLLIN};
	if (gev_poll(fds, PIPES, soon(me)) < 0)
		check_cut_off("poll");
}

static void pipes_end(void)
{
	int value;
	for (int i = 0; i < PIPES; i++) {
		while (recv(pipes[i][0], &value, sizeof value, MSG_DONTWAIT) == sizeof value)
			received += value;
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	check(sent == received, "%ld went in, %ld came out", sent, received);
}

/* ---- Queues: the same ---- */

enum { QUEUES = 3 };

static struct gev_queue *queues[QUEUES];
static long queued, unqueued; /* atomic */

void step_put(struct doer *me)
{
	uintptr_t value = 1 + below(&me->rng, 1000);
	if (gev_queue_put(queues[below(&me->rng, QUEUES)], (void *)value, soon(me)) == 0)
		__atomic_add_fetch(&queued, (long)value, __ATOMIC_RELAXED);
	else
		check_cut_off("put");
}

void step_get(struct doer *me)
{
	void *item;
	if (gev_queue_get(queues[below(&me->rng, QUEUES)], &item, soon(me)))
		check_cut_off("get");
	else if (world.fault != FAULT_ITEM || !one_in(&me->rng, 20))
		__atomic_add_fetch(&unqueued, (long)(uintptr_t)item, __ATOMIC_RELAXED);
}

static void queues_end(void)
{
	void *item;
	for (int i = 0; i < QUEUES; i++) {
		while (gev_queue_get(queues[i], &item, 0) == 0)
			unqueued += (long)(uintptr_t)item;
		check(errno == ETIMEDOUT, "get: errno %d", errno);
		gev_queue_free(queues[i]);
	}
	check(queued == unqueued, "%ld was put, %ld got", queued, unqueued);
}

/* ---- Descriptors that anybody closes while others begin to wait for them ---- */

enum { ENDS = 6 };

static int ends[2 * ENDS]; /* atomic; -1: just closed */

/* Two by themselves, so that ThreadSanitizer can be told of them (tsan.supp). */
static __attribute__((noinline)) int open_numbers(int pair[2])
{
	int r = socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	__asm__ volatile("" : "+r"(r));
	return r;
}

static __attribute__((noinline)) int close_number(int fd)
{
	int r = close(fd);
	__asm__ volatile("" : "+r"(r)); /* no tail call: this frame must be seen */
	return r;
}

/* gev_close in its three parts. */
static void close_in_parts(int fd)
{
	world.rt->fd_closing(fd);
	check(close_number(fd) == 0, "close: errno %d", errno);
	world.rt->fd_closed(fd);
}

static void close_end(int at)
{
	int fd = __atomic_exchange_n(&ends[at], -1, __ATOMIC_ACQ_REL);
	if (fd >= 0)
		close_in_parts(fd);
}

void step_close(struct doer *me)
{
	int at = (int)below(&me->rng, ENDS), pair[2];
	close_end(at);
	close_end(ENDS + at);
	if (open_numbers(pair))
		return;
	int none = -1;
	if (!__atomic_compare_exchange_n(&ends[at], &none, pair[0], false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		close_in_parts(pair[0]); /* its number may be one that a reader has in hand still */
	none = -1;
	if (one_in(&me->rng, 2) ||
	    !__atomic_compare_exchange_n(&ends[ENDS + at], &none, pair[1], false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		close_in_parts(pair[1]);
}

void step_stale(struct doer *me)
{
	char c;
	int fd = __atomic_load_n(&ends[below(&me->rng, 2 * ENDS)], __ATOMIC_ACQUIRE);
	if (fd < 0)
		return;
	ssize_t r = one_in(&me->rng, 3) ? gev_send(fd, "x", 1, 0, soon(me)) : gev_recv(fd, &c, 1, 0, soon(me));
	check(r >= 0 || errno == EBADF || errno == ETIMEDOUT || errno == ENOTSOCK || errno == EPIPE ||
		      errno == ECONNRESET || (errno == ECANCELED && gev_is_killed()),
	      "a descriptor that others close: errno %d", errno);
}

/* ---- Real threads ---- */

static long parcels, dropped; /* atomic */

static void *add_one(void *arg)
{
	++*(int *)arg;
	return arg;
}

void step_offload(struct doer *me)
{
	int n = 0;
	void *value = NULL;
	if (gev_offload(add_one, &n, soon(me), &value) == 0) {
		check(n == 1 && value == &n, "offloaded %d times", n);
	} else {
		check(n == 0, "offloaded, and said not to be");
		check(errno == EAGAIN || errno == ETIMEDOUT || (errno == ECANCELED && gev_is_killed()),
		      "offload: errno %d", errno);
	}
}

static void drop(void *arg, void *value)
{
	check(value == NULL || value == arg, "a parcel has become another");
	free(arg);
	__atomic_add_fetch(&dropped, 1, __ATOMIC_RELAXED);
}

void step_apart(struct doer *me)
{
	int *parcel = calloc(1, sizeof *parcel);
	check(parcel != NULL, "no memory");
	__atomic_add_fetch(&parcels, 1, __ATOMIC_RELAXED);
	if (gev_offload_apart(add_one, parcel, drop, soon(me), NULL))
		check(errno == EAGAIN || errno == ETIMEDOUT || (errno == ECANCELED && gev_is_killed()),
		      "apart: errno %d", errno);
}

/* ---- The rest ---- */

void step_local(struct doer *me)
{
	struct gev_local *local = gev_local_new(NULL);
	check(local != NULL, "local: errno %d", errno);
	if (me->on_hub) {
		check(gev_local_get(local) == NULL, "a new variable has a value");
		check(gev_local_set(local, me) == 0, "local_set: errno %d", errno);
		if (one_in(&me->rng, 2))
			gev_yield();
		check(gev_local_get(local) == me, "somebody else's value");
	}
	gev_local_free(local);
}

void step_timeout(struct doer *me)
{
	struct gev_timeout t;
	check(gev_timeout_begin(&t, soon(me)) == 0, "timeout: errno %d", errno);
	bool shielded = one_in(&me->rng, 4);
	if (shielded)
		gev_shield_begin();
	/* A shield keeps the timeout off too: then it must have an end of its own. */
	int r = gev_sleep(shielded ? soon(me) : GEV_FOREVER);
	if (shielded)
		gev_shield_end();
	check(shielded ? r == 0 : r == -1, "sleep: %d", r);
	if (!shielded)
		check_cut_off("sleep");
	gev_timeout_end(&t);
}

void things_begin(void)
{
	for (int i = 0; i < PIPES; i++)
		check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pipes[i]) == 0, "socketpair: errno %d", errno);
	for (size_t i = 0; i < QUEUES; i++)
		check((queues[i] = gev_queue_new(i == 2 ? GEV_QUEUE_UNBOUNDED : 2 * i)) != NULL, "no memory");
	memset(ends, -1, sizeof ends);
}

void things_end(void)
{
	semaphores_end();
	pipes_end();
	queues_end();
	for (int i = 0; i < 2 * ENDS; i++)
		close_end(i);
	while (__atomic_load_n(&dropped, __ATOMIC_RELAXED) < parcels)
		sched_yield(); /* what goes on without its caller */
	check(dropped == parcels, "%ld parcels, %ld dropped", parcels, dropped);
}
