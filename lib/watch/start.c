/* start.c: what the environment asks to be watched. When it asks for nothing, nothing is set, and this file is all that ever runs of this folder.
 *
 * The thread is made with the first hub, not before: a program that never has a greenlet never has it. */
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/options.h"
#include "lib/watch/control.h"
#include "lib/watch/dump.h"
#include "lib/watch/libdw.h"
#include "lib/watch/monitor.h"
#include "lib/watch/record.h"
#include "lib/watch/stats.h"
#include "lib/watch/symbol.h"
#include "lib/watch/thread.h"

enum { MONITOR_OFF, MONITOR_ON, MONITOR_ONCE };

static struct gev__watcher watcher;
static bool stats;
static pid_t
	watched; /* a forked child in which no greenlet ever ran is not: whoever held a lock when it was forked still seems to */

/* A hub is there; or this is a forked child, which has no thread of its own yet. */
static void began(void)
{
	if (watched == getpid())
		return;
	if (watched != 0)
		gev__symbols_forked();
	watched = getpid();
	gev__libdw_open();
	if (watcher.control || watcher.dump_signal || watcher.monitor)
		gev__watcher_start(&watcher);
}

static __attribute__((constructor)) void prepare(void)
{
	const struct gev__options *o = gev__options();
	watcher.control = o->control != 0;
	watcher.dump_signal = gev__dump_prepare(o->dump, &watcher.dump_file);
	watcher.monitor = o->monitor != MONITOR_OFF;
	stats = gev__stats_prepare(o->stats);
	/* An option of libpatch's, whose lines name greenlets and say for how long they were parked. */
	const char *trace = secure_getenv("GEV_TRACE");
	bool timed = watcher.control || watcher.dump_signal || stats || (trace && *trace);
	if (!timed && !watcher.monitor)
		return;
	if (watcher.control)
		gev__control_prepare();
	if (watcher.dump_signal)
		gev__dump_listen(watcher.dump_signal);
	gev__monitor_prepare(o->max_blocking, o->monitor == MONITOR_ONCE);
	gev__records_start(timed, began);
}

static __attribute__((destructor)) void finish(void)
{
	if (stats && watched == getpid())
		gev__stats_at_exit();
	if (watcher.control)
		gev__control_remove();
}
