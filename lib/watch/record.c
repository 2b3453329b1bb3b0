/* Records and their hooks. */
#include "lib/watch/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/lock.h"
#include "lib/base/log.h"
#include "lib/base/macros.h"
#include "lib/base/sys.h"
#include "lib/core/hooks.h"

enum { CHUNK_BITS = 8, CHUNK = 1 << CHUNK_BITS, CHUNKS = 1 << 13 };

static struct gev__record *chunks[CHUNKS];
static uint32_t places; /* atomic */
static struct gev__record *unused;
static uint32_t last_id;
static struct gev__totals totals;
static struct gev__by_entry entries[GEV__ENTRIES];
static uint32_t entries_n;
static struct gev__lock lock; /* of all that is above */

struct gev__watched_hub gev__hubs[GEV__HUBS];
static struct gev__lock hubs_lock;

static bool timed;
static bool begin_again; /* in a forked child, until the first event */
static void (*began)(void);

void gev__hubs_lock(void)
{
	gev__lock(&hubs_lock);
}

void gev__hubs_unlock(void)
{
	gev__unlock(&hubs_lock);
}

uint32_t gev__records_n(void)
{
	return __atomic_load_n(&places, __ATOMIC_ACQUIRE);
}

struct gev__record *gev__record_at(uint32_t index)
{
	return &chunks[index >> CHUNK_BITS][index & (CHUNK - 1)];
}

bool gev__records_timed(void)
{
	return timed;
}

/* ---- Places ---- */

static struct gev__record *add_chunk(void)
{
	uint32_t n = places >> CHUNK_BITS;
	if (n == CHUNKS || (chunks[n] = calloc(CHUNK, sizeof(struct gev__record))) == NULL)
		return NULL;
	for (uint32_t i = CHUNK; i-- > 0;) {
		chunks[n][i].index = (n << CHUNK_BITS) + i;
		chunks[n][i].next_free = unused;
		unused = &chunks[n][i];
	}
	__atomic_store_n(&places, places + CHUNK, __ATOMIC_RELEASE);
	return unused;
}

static void change(struct gev__record *r)
{
	__atomic_store_n(&r->seq, r->seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void changed(struct gev__record *r)
{
	__atomic_store_n(&r->seq, r->seq + 1, __ATOMIC_RELEASE);
}

/* Of the function, which is added; NULL: no room. */
static struct gev__by_entry *entry_of(const void *entry)
{
	for (uint32_t i = 0; i < entries_n; i++)
		if (entries[i].entry == entry)
			return &entries[i];
	if (entries_n == GEV__ENTRIES)
		return NULL;
	entries[entries_n] = (struct gev__by_entry){.entry = entry};
	return &entries[entries_n++];
}

static void note_depth(const struct gev__record *r)
{
	struct gev__by_entry *e = entry_of(r->entry);
	if (e && r->deepest > e->deepest)
		e->deepest = r->deepest;
}

uint32_t gev__by_entry(struct gev__by_entry out[GEV__ENTRIES])
{
	gev__lock(&lock);
	for (uint32_t i = 0; i < places; i++)
		if (gev__record_at(i)->id)
			note_depth(gev__record_at(i));
	uint32_t n = entries_n;
	memcpy(out, entries, n * sizeof *out);
	gev__unlock(&lock);
	return n;
}

bool gev__watch_self(struct gev_watch_self *out)
{
	const struct gev_greenlet *g = gev__self();
	const struct gev__record *r = g ? g->watched : NULL;
	if (r == NULL || g == &g->hub->self)
		return false;
	const struct gev__watched_hub *w = g->hub->self.watched;
	out->id = r->id;
	out->ran = (uint64_t)(r->ran + (w ? gev__now() - w->at : 0));
	out->switches = r->switches;
	out->parks = r->parks;
	memcpy(out->name, g->name, sizeof out->name);
	if (g == &g->hub->main && *g->name == '\0')
		memcpy(out->name, "main", sizeof "main");
	return true;
}

void gev__totals(struct gev__totals *out)
{
	gev__lock(&lock);
	*out = totals;
	gev__unlock(&lock);
	gev__hubs_lock();
	for (int i = 0; i < GEV__HUBS; i++) {
		if (gev__hubs[i].h == NULL)
			continue;
		out->switches += gev__hubs[i].switches;
		out->turns += gev__hubs[i].turns;
	}
	gev__hubs_unlock();
}

/* ---- Hooks ---- */

static void check_begun(void)
{
	if (unlikely(begin_again)) {
		begin_again = false;
		began();
	}
}

/* A greenlet that is asked for its thread has its thread's function as argument (gev/embed.h, thread_new). */
static const void *function_of(const struct gev_greenlet *g)
{
	return g->is_thread ? g->arg : (const void *)(uintptr_t)g->entry;
}

static void enter(struct gev_greenlet *g, int number, bool is_main)
{
	gev__lock(&lock);
	struct gev__record *r = unused ? unused : add_chunk();
	g->watched = r;
	if (r) {
		const struct gev__record *creator = gev__self() ? gev__self()->watched : NULL;
		unused = r->next_free;
		change(r);
		r->creator = creator && !is_main ? creator->id : 0;
		r->g = g;
		r->entry = is_main ? NULL : function_of(g);
		r->number = number;
		r->deepest = 0;
		r->made_at = gev__now();
		r->since = r->ran = r->cpu = 0;
		r->switches = r->parks = 0;
		r->id = ++last_id;
		changed(r);
		struct gev__by_entry *e = entry_of(r->entry);
		if (e)
			e->made++;
	}
	totals.made++;
	if (++totals.live > totals.peak)
		totals.peak = totals.live;
	gev__unlock(&lock);
}

static void on_made(struct gev_greenlet *g)
{
	int saved = errno;
	check_begun();
	enter(g, g->own_identity ? gev__identity_number(g->context.tp) : 0, false);
	errno = saved;
}

static void leave(struct gev_greenlet *g)
{
	struct gev__record *r = g->watched;
	g->watched = NULL;
	gev__lock(&lock);
	totals.live--;
	if (r) {
		note_depth(r);
		change(r);
		r->id = 0;
		changed(r);
		r->next_free = unused;
		unused = r;
	}
	gev__unlock(&lock);
}

static void on_ended(struct gev_greenlet *g)
{
	leave(g);
}

/* ---- CPU time ----
 *
 * A clock of CPU time is a system call away (vdso(7) has none), which is dearer than a switch. A short run is taken for computing from beginning to end: had
 * the thread waited in the kernel, or had another taken its processor, the run would not be short. Only where it is long is the clock asked;
 * and at each look outside, since the hub computes and sleeps there. */
#define SHORT_RUN_NS (NS_PER_S / 50000)

int64_t gev__cpu_of_run(const struct gev__watched_hub *w, int64_t took, int64_t cpu_now)
{
	int64_t cpu = cpu_now - w->cpu_at - w->cpu_since;
	return cpu < 0 ? 0 : cpu < took ? cpu : took;
}

static int64_t cpu_now(void)
{
	struct timespec t = {0};
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void set_cpu(struct gev__watched_hub *w, int64_t now)
{
	w->cpu_at = now;
	w->cpu_since = 0;
}

static int64_t count_cpu(struct gev__watched_hub *w, int64_t took)
{
	if (took < SHORT_RUN_NS) {
		w->cpu_since += took;
		return took;
	}
	int64_t now = cpu_now(), cpu = gev__cpu_of_run(w, took, now);
	set_cpu(w, now);
	return cpu;
}

static void note_run(const struct gev__record *r, const struct gev_greenlet *g, int64_t took)
{
	gev__lock(&lock);
	if (took > totals.longest_run) {
		totals.longest_run = took;
		totals.longest_id = r->id;
		totals.longest_entry = r->entry;
		memcpy(totals.longest_name, g->name, sizeof totals.longest_name);
	}
	gev__unlock(&lock);
}

static void on_left(struct gev__hub *h, struct gev_greenlet *g, int64_t now)
{
	int saved = errno;
	check_begun();
	struct gev__watched_hub *w = h->self.watched;
	struct gev__record *r = g->watched;
	if (w == NULL)
		return;
	int64_t took = now - w->at;
	int64_t cpu = count_cpu(w, took);
	w->at = now;
	w->switches++;
	if (r == NULL)
		return; /* it has ended */
	change(r);
	r->ran += took;
	r->cpu += cpu;
	r->since = now;
	r->switches++;
	r->parks += g->state == GEV__PARKED;
	/* The hook runs on its stack. */
	const char *here = __builtin_frame_address(0);
	if (here >= g->stack.lo && here < g->stack.hi && g->stack.hi - here > (ptrdiff_t)r->deepest)
		r->deepest = (uint32_t)(g->stack.hi - here);
	changed(r);
	if (unlikely(took > __atomic_load_n(&totals.longest_run, __ATOMIC_RELAXED)))
		note_run(r, g, took);
	errno = saved;
}

static void on_turned(struct gev__hub *h, int64_t now)
{
	check_begun();
	struct gev__watched_hub *w = h->self.watched;
	if (w == NULL)
		return;
	int64_t turn = w->at - w->turned_at;
	if (unlikely(turn > __atomic_load_n(&totals.longest_turn, __ATOMIC_RELAXED))) {
		gev__lock(&lock);
		if (turn > totals.longest_turn)
			totals.longest_turn = turn;
		gev__unlock(&lock);
	}
	w->turns++;
	w->at = w->turned_at = now;
	if (timed)
		set_cpu(w, cpu_now());
}

static void on_hub_made(struct gev__hub *h)
{
	int saved = errno;
	pid_t tid = (pid_t)gev__sys.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
	gev__hubs_lock();
	int place = 0;
	while (place < GEV__HUBS && gev__hubs[place].h)
		place++;
	if (place < GEV__HUBS) {
		int64_t now = gev__now();
		gev__hubs[place] = (struct gev__watched_hub){.h = h, .tid = tid, .at = now, .turned_at = now};
		set_cpu(&gev__hubs[place], cpu_now());
		h->self.watched = &gev__hubs[place];
	}
	gev__hubs_unlock();
	if (place == GEV__HUBS)
		gev__warn("more than %d hubs: this one is not watched", GEV__HUBS);
	enter(&h->main, tid, true);
	began();
	errno = saved;
}

static void on_hub_gone(struct gev__hub *h)
{
	for (struct gev_greenlet *g = h->all; g; g = g->all_next)
		if (g->watched)
			leave(g);
	if (h->main.watched)
		leave(&h->main);
	struct gev__watched_hub *w = h->self.watched;
	if (w == NULL)
		return;
	gev__lock(&lock);
	totals.switches += w->switches;
	totals.turns += w->turns;
	gev__unlock(&lock);
	gev__hubs_lock();
	w->h = NULL;
	gev__hubs_unlock();
}

/* In the child: whoever held a lock is no more, and whoever ran is alone. Counting starts anew. */
static void on_hub_forked(struct gev__hub *h)
{
	struct gev_greenlet *self = gev__self();
	struct gev__record *mine = self->watched;
	struct gev__watched_hub *w = h->self.watched;
	lock = hubs_lock = (struct gev__lock){0};
	unused = NULL;
	for (uint32_t i = places; i-- > 0;) {
		struct gev__record *r = gev__record_at(i);
		r->seq = 0;
		if (r == mine)
			continue;
		r->id = 0;
		r->next_free = unused;
		unused = r;
	}
	pid_t tid = (pid_t)gev__sys.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
	if (mine)
		mine->number = tid;
	if (self != &h->main)
		h->main.watched = NULL;
	memset(gev__hubs, 0, sizeof gev__hubs);
	entries_n = 0;
	totals = (struct gev__totals){.made = 1, .live = 1, .peak = 1};
	if (w) {
		*w = (struct gev__watched_hub){.h = h, .tid = tid, .at = gev__now()};
		w->turned_at = w->at;
		set_cpu(w, cpu_now());
	}
	begin_again = true;
}

void gev__records_start(bool with_times, void (*hub_began)(void))
{
	static struct gev__hooks hooks = {
		.hub_made = on_hub_made,
		.hub_gone = on_hub_gone,
		.hub_forked = on_hub_forked,
		.made = on_made,
		.ended = on_ended,
		.turned = on_turned,
	};
	timed = with_times;
	began = hub_began;
	hooks.left = timed ? on_left : NULL;
	gev__hooks = &hooks;
}
