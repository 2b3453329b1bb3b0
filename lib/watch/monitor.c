/* The monitor.
 *
 * A hub that goes on moves the head of its ready queue, or looks outside, or sleeps. One that has done none of these between two looks stands
 * still: a greenlet computes, or sits in a system call that nothing covers. Nobody is asked to say that he is alive, so this costs the program nothing.
 *
 * A ring of waiters is believed when three looks a second apart have shown the same one: the picture is not taken at one instant. */
#include "lib/watch/monitor.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/core/deadlock.h"
#include "lib/watch/cycle.h"
#include "lib/watch/outside.h"
#include "lib/watch/record.h"
#include "lib/watch/report.h"
#include "lib/watch/running.h"
#include "lib/watch/stats.h"
#include "lib/watch/symbol.h"
#include "lib/watch/waits.h"

static int64_t max_blocking;
static bool once;

struct standing {
	const struct gev__hub *h;
	uint32_t head;
	int64_t polled_at;
	int64_t since; /* when it was first seen so */
	bool said;
};
static struct standing standing[GEV__HUBS];

void gev__monitor_prepare(int64_t max, bool one_line)
{
	max_blocking = max;
	once = one_line;
}

int64_t gev__monitor_period(void)
{
	return max_blocking / 4 > 1000000 ? max_blocking / 4 : 1000000;
}

/* ---- A hub that stands still ---- */

static const struct gev__seen *who_runs(const struct gev__picture *p, pid_t tid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->seen[i].tid == tid && p->seen[i].state == GEV__RUNNING)
			return &p->seen[i];
	return NULL;
}

static void write_stall(struct gev__text *t, const struct gev__picture *p, pid_t tid, int64_t ns)
{
	const struct gev__seen *s = who_runs(p, tid);
	struct gev__doing r;
	gev__doing(tid, &r);
	char name[64] = "";
	if (s)
		gev__display_name(s, name, sizeof name);
	gev__text_add(t, "libgev: ");
	if (s)
		gev__text_add(t, "greenlet %u (%s) ", s->id, name);
	else
		gev__text_add(t, "the hub itself ");
	const char *call = r.syscall >= 0 ? gev__syscall_name(r.syscall) : NULL;
	if (r.syscall >= 0)
		gev__text_add(t, "sits in the system call %s", call ? call : "?");
	else
		gev__text_add(t, "computes");
	gev__text_add(t, ": no other has run for ");
	gev__text_time(t, ns);
	gev__text_add(t, "\n");
	uintptr_t pcs[32] = {0};
	size_t n = r.known && !once ? gev__unwind(&r.stand, pcs, sizeof pcs / sizeof *pcs) : 0;
	n = gev__stack_end(pcs, n, s && s->is_main);
	for (size_t i = 0; i < n; i++) {
		gev__text_add(t, "  #%zu ", i);
		gev__symbol_frame(t, pcs[i], i > 0);
		gev__text_add(t, "\n");
	}
}

static void say_stall(pid_t tid, int64_t ns)
{
	static bool said_one;
	struct gev__picture p;
	struct gev__text t = {0};
	if (once && said_one)
		return;
	said_one = true;
	if (gev__picture_take(&p) < 0)
		return;
	gev__symbols_begin();
	write_stall(&t, &p, tid, ns);
	gev__symbols_end();
	gev__picture_done(&p);
	if (t.at)
		gev__say_all(t.at, t.n);
	gev__text_done(&t);
}

static void look_at(int i, int64_t now)
{
	const struct gev__hub *h = gev__hubs[i].h;
	struct standing *s = &standing[i];
	uint32_t head = __atomic_load_n(&h->ready_head, __ATOMIC_RELAXED);
	int64_t polled_at = __atomic_load_n(&h->polled_at, __ATOMIC_RELAXED);
	if (s->h != h || s->head != head || s->polled_at != polled_at ||
	    __atomic_load_n(&h->asleep, __ATOMIC_RELAXED) || __atomic_load_n(&h->live, __ATOMIC_RELAXED) < 2) {
		*s = (struct standing){.h = h, .head = head, .polled_at = polled_at, .since = now};
		return;
	}
	int64_t ns = now - s->since;
	if (ns < max_blocking)
		return;
	if (!s->said) {
		say_stall(gev__hubs[i].tid, ns);
		gev__stats_stall_begins();
	}
	gev__stats_stall_lasts(ns);
	s->said = true;
}

/* ---- Greenlets that wait for one another ---- */

enum { LOOKS = 3, RINGS = 16 };

/* Rings by the sum of their members and objects. */
static struct ring {
	uint64_t mark;
	int looks;
	bool now;
} rings[RINGS];

struct deadlock {
	struct gev__text t;
	const struct gev__picture *p;
};

static void see_ring(void *arg, const uint32_t *ids, size_t n)
{
	struct deadlock *d = arg;
	uint64_t mark = n;
	for (size_t i = 0; i < n; i++) {
		const struct gev__seen *s = gev__picture_find(d->p, ids[i]);
		mark = (mark ^ ids[i]) * UINT64_C(0x9e3779b97f4a7c15);
		mark = (mark ^ (uintptr_t)s->object) * UINT64_C(0x9e3779b97f4a7c15);
	}
	struct ring *r = NULL;
	for (int i = 0; i < RINGS; i++) {
		if (rings[i].mark == mark) {
			r = &rings[i];
			break;
		}
		if (rings[i].looks == 0 && r == NULL)
			r = &rings[i];
	}
	if (r == NULL)
		return;
	r->mark = mark;
	r->now = true;
	if (++r->looks != LOOKS)
		return;
	gev__text_add(&d->t, "libgev: ");
	gev__cycle_heading(&d->t, n);
	for (size_t i = 0; i < n; i++)
		gev__report_one(&d->t, d->p, gev__picture_find(d->p, ids[i]));
}

/* Whether there is nothing left but waiters on objects of this process: no descriptor, no time, no signal or child, nothing offloaded, no OS thread
 * but the hubs' and those that wake nobody of themselves. */
static bool all_wait(const struct gev__picture *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->seen[i].state != GEV__PARKED || p->seen[i].waits_for != GEV__FOR_OBJECT || p->seen[i].outside ||
		    p->seen[i].deadline != NEVER)
			return false;
	for (size_t i = 0; i < p->hubs_n; i++)
		if (!p->hubs[i].asleep || p->hubs[i].timers)
			return false;
	size_t helpers = (size_t)__atomic_load_n(&gev__helper_threads, __ATOMIC_RELAXED);
	return p->n > 0 && gev__os_threads() == p->hubs_n + helpers;
}

static void look_for_end(struct deadlock *d)
{
	enum { STACKS = 16 };
	static int looks;
	static bool said;
	if (!all_wait(d->p)) {
		looks = 0;
		said = false;
		return;
	}
	if (++looks < LOOKS || said)
		return;
	said = true;
	size_t n = d->p->n;
	gev__text_add(&d->t, "libgev: deadlock: all %zu greenlets wait for one another; only a signal could wake one\n",
		      n);
	for (size_t i = 0; i < n && i < STACKS; i++)
		gev__report_one(&d->t, d->p, &d->p->seen[i]);
	if (n > STACKS)
		gev__text_add(&d->t, "and %zu more\n", n - STACKS);
}

static void look_for_rings(void)
{
	struct gev__picture p;
	struct deadlock d = {.p = &p};
	if (gev__picture_take(&p) < 0)
		return;
	for (int i = 0; i < RINGS; i++)
		rings[i].now = false;
	bool any = false;
	for (size_t i = 0; i < p.n && !any; i++)
		any = p.seen[i].owner != 0;
	if (any) {
		gev__symbols_begin();
		gev__cycles_each(&p, see_ring, &d);
		gev__symbols_end();
	}
	bool ring = false;
	for (int i = 0; i < RINGS; i++) {
		if (!rings[i].now)
			rings[i] = (struct ring){0};
		ring |= rings[i].now;
	}
	if (!ring && !p.partial) {
		gev__symbols_begin();
		look_for_end(&d);
		gev__symbols_end();
	}
	if (d.t.at)
		gev__say_all(d.t.at, d.t.n);
	gev__text_done(&d.t);
	gev__picture_done(&p);
}

void gev__monitor_look(void)
{
	static int64_t rings_at;
	int64_t now = gev__now();
	gev__hubs_lock();
	for (int i = 0; i < GEV__HUBS; i++)
		if (gev__hubs[i].h)
			look_at(i, now);
	if (now - rings_at >= NS_PER_S) {
		rings_at = now;
		look_for_rings();
	}
	gev__hubs_unlock();
}
