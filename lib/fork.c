/* Forks: the caller's flow goes on in the child, alone, with a runtime made anew.
 *
 * Whoever forks, by whatever function of libc, the handlers of pthread_atfork see to it; a shim's door comes before or after them, and the first call of
 * the two acts. _Fork(3) runs no handlers: after it the child may only call what is async-signal-safe, as POSIX has it. */
#include "lib/fork.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/options.h"
#include "lib/context/identity.h"
#include "lib/context/thread-pointer.h"
#include "lib/core/debug.h"
#include "lib/core/extra.h"
#include "lib/core/handle.h"
#include "lib/core/hub-loop.h"
#include "lib/core/hub.h"
#include "lib/core/lot.h"
#include "lib/io/offload.h"
#include "lib/io/record.h"

static void *forking; /* atomic: the thread pointer of him who has prepared; written under the locks that he holds */

static bool is_forking(void)
{
	return __atomic_load_n(&forking, __ATOMIC_RELAXED) == gev__tp_get();
}

void gev__fork_prepare(void)
{
	if (is_forking())
		return;
	gev__options(); /* whose lock nobody takes again */
	gev__handles_lock();
	gev__locals_lock();
	gev__identities_lock();
	gev__loops_lock(); /* a hub that makes its loop holds all low numbers for a moment */
	__atomic_store_n(&forking, gev__tp_get(), __ATOMIC_RELAXED);
}

static void let_go(void)
{
	__atomic_store_n(&forking, NULL, __ATOMIC_RELAXED);
	gev__loops_unlock();
	gev__identities_unlock();
	gev__locals_unlock();
	gev__handles_unlock();
}

void gev__fork_parent(void)
{
	if (is_forking())
		let_go();
}

void gev__fork_child(void)
{
	if (!is_forking())
		return;
	let_go();
	struct gev__hub *h = gev__hub_here();
	gev__era++;
	gev__lot_forked();
	gev__offload_forked();
	gev__loops_forked(h);
	gev__tables_forked(NULL); /* the hub's slot enters its own again */
	if (h) {
		gev__hub_forked(h);
	} else {
		gev__hubs_forked(NULL);
		gev__first_hub = (struct gev__running){0};
	}
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(gev__fork_prepare, gev__fork_parent, gev__fork_child);
}
