/* Deadlock: what could still wake somebody is a descriptor, a timer, another OS thread, or what holds a reference of the hub (a signal watcher). */
#include "lib/core/deadlock.h"

#include <sys/stat.h>

#include "lib/base/macros.h"
#include "lib/base/sys.h"
#include "lib/core/hub.h"

long gev__helper_threads;

/* The number of OS threads is the number of links of that folder, less two (Linux, fs/proc/base.c, proc_task_getattr). Where it cannot be
 * told, there might be others. */
static bool other_threads(void)
{
	struct stat task;
	if (gev__sys.stat("/proc/self/task", &task))
		return true;
	long threads = (long)task.st_nlink - 2;
	return threads - __atomic_load_n(&gev__helper_threads, __ATOMIC_RELAXED) != 1;
}

/* Looks for one that waits for something outside. Who was found goes to the front: a server finds the same one at once the next time. */
static bool any_waits_outside(struct gev__hub *h)
{
	for (struct gev_greenlet *g = h->all; g; g = g->all_next) {
		if (g->state != GEV__PARKED || !(g->waits & GEV__PARK_OUTSIDE))
			continue;
		if (g != h->all) {
			gev__leave_all(g);
			gev__enter_all(h, g);
		}
		return true;
	}
	return false;
}

static bool may_be(struct gev__hub *h)
{
	const struct gev_greenlet *main = &h->main;
	if (main->state != GEV__PARKED || (main->waits & (GEV_PARK_KILLABLE | GEV__PARK_OUTSIDE)) != GEV_PARK_KILLABLE)
		return false;
	if (gev__spawn_identity) /* a preloaded program hangs as it would natively */
		return false;
	return !any_waits_outside(h) && __atomic_load_n(&h->references, __ATOMIC_RELAXED) == 0;
}

/* Asking for the threads is a system call, and a hub that others wake often would make it at each sleep: so only when a first, short sleep has been
 * in vain. Later ones are longer and longer. */
bool gev__deadlocked(struct gev__hub *h, int64_t *until)
{
	enum { FIRST_MS = 5, MOST_MS = 5000 };
	const int64_t ms = NS_PER_S / 1000;
	if (!may_be(h))
		return false;
	if (h->doubt && !other_threads())
		return true;
	h->doubt = h->doubt == 0 ? FIRST_MS * ms : h->doubt < MOST_MS * ms ? h->doubt * 2 : h->doubt;
	*until = gev__now() + h->doubt;
	return false;
}
