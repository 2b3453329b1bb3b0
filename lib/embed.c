/* The table of gev/embed.h: thin calls into the layers below. */
#include "gev/embed.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

#include "lib/base/macros.h"
#include "lib/base/sys.h"
#include "lib/context/identity.h"
#include "lib/core/handle.h"
#include "lib/core/hub-loop.h"
#include "lib/core/hub.h"
#include "lib/core/kill.h"
#include "lib/core/lot.h"
#include "lib/core/overflow.h"
#include "lib/core/park.h"
#include "lib/core/signals.h"
#include "lib/fork.h"
#include "lib/io/offload.h"
#include "lib/io/readiness.h"
#include "lib/watch/dump.h"
#include "lib/watch/record.h"
#include "lib/watch/stats.h"

static int start(void *(*original)(const char *name))
{
	if (original)
		gev__sys_set(original);
	gev__overflow_leave_to_others();
	gev__spawn_identity = gev__identity_missing() == NULL;
	int error = 0;
	return gev__hub_get(&error) ? 0 : error;
}

static const char *no_identity(void)
{
	return gev__identity_missing();
}

static struct gev_greenlet *self(void)
{
	struct gev_greenlet *g = gev__self();
	return g && likely(g != &g->hub->self) ? g : NULL;
}

static struct gev_greenlet *self_if_others(void)
{
	struct gev_greenlet *g = self();
	return g && g->hub->live > g->hub->alone ? g : NULL;
}

static size_t default_stack_size(void)
{
	/* As glibc does (nptl/pthread_create.c, __pthread_initialize_minimal): the soft limit, or 2 MiB where there is none. */
	struct rlimit limit;
	if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return (size_t)2 << 20;
	return limit.rlim_cur > 16384 ? (size_t)limit.rlim_cur : 16384;
}

static void *thread_pointer(const struct gev_greenlet *g)
{
	return gev__identity_self(g->context.tp);
}

static int thread_new(const struct gev_thread_attr *attr, void (*entry)(void *arg), void *arg,
		      struct gev_greenlet **out, void **tp)
{
	struct gev_greenlet *me = self();
	if (me == NULL)
		return -EPERM;
	struct gev__spawn how = {
		.name = attr->name,
		.stack = attr->stack,
		.stack_size = attr->stack_size ? attr->stack_size : default_stack_size(),
		.guard_size = attr->guard_size,
		.own_identity = true,
		.suspended = attr->suspended,
		.refs = 1,
		.thread_entry = entry,
	};
	me->hub->busy++; /* the ring of the ready may be on its way to a larger place */
	int r = gev__greenlet_new(me->hub, &how, NULL, arg, out);
	me->hub->busy--;
	if (r == 0)
		*tp = thread_pointer(*out);
	return r;
}

static void __attribute__((noreturn)) thread_exit(void)
{
	gev__greenlet_finish(NULL);
}

static size_t ready_count(void)
{
	const struct gev__hub *h = gev__hub_here();
	return h ? gev__ready_n(h) : 0;
}

static void thread_name(struct gev_greenlet *g, const char *name)
{
	snprintf(g->name, sizeof g->name, "%s", name);
}

static void thread_stack(const struct gev_greenlet *g, struct gev_stack_info *out)
{
	/* glibc's own view: the guard is the lowest part of the stack, and pthread_getattr_np reports the size with it. */
	size_t guard = g->stack.class ? g->stack.class->guard : 0;
	*out = (struct gev_stack_info){
		.base = g->stack.lo,
		.size = (size_t)(g->stack.hi - g->stack.lo),
		.guard = guard,
	};
}

static size_t thread_count(void)
{
	struct gev__hub *h = gev__hub_here();
	return h ? h->live : 0;
}

static uint32_t turn(void)
{
	const struct gev__hub *h = gev__hub_here();
	return h ? h->ready_head : 0;
}

static void each(bool (*f)(struct gev_greenlet *g, void *arg), void *arg)
{
	struct gev__hub *h = gev__hub_here();
	for (struct gev_greenlet *g = h ? h->all : NULL; g; g = g->all_next)
		if (!gev__is_done(g) && !f(g, arg))
			return;
}

static int64_t deadline(void)
{
	struct gev__hub *h = gev__hub_here();
	return h ? gev__timers_first(&h->timers) : GEV_NEVER;
}

static const struct gev_embed table = {
	.size = sizeof table,
	.start = start,
	.no_identity = no_identity,
	.self = self,
	.self_if_others = self_if_others,
	.thread_new = thread_new,
	.thread_start = gev__greenlet_start,
	.thread_free = gev__handle_drop,
	.thread_exit = thread_exit,
	.thread_pointer = thread_pointer,
	.thread_stack = thread_stack,
	.thread_count = thread_count,
	.park = gev__park,
	.wake = gev__wake,
	.kill = gev__kill,
	.yield = gev__yield,
	.sleep_until = gev__sleep_until,
	.lot_wait = gev__lot_wait,
	.lot_wake = gev__lot_wake,
	.lot_wake_one = gev__lot_wake_one,
	.lot_requeue = gev__lot_requeue,
	.fd_wait = gev__fd_wait,
	.fds_wait = gev__fds_wait,
	.fd_closing = gev__fd_closing,
	.fds_closing = gev__fds_closing,
	.fd_internal = gev__loop_internal,
	.fd_internal_next = gev__loop_internal_next,
	.fork_prepare = gev__fork_prepare,
	.fork_parent = gev__fork_parent,
	.fork_child = gev__fork_child,
	.signal_hooks = gev__signals_hook,
	.arrivals = gev__signals_arrivals,
	.interrupt = gev__interrupt,
	.attend = gev__attend,
	.busy = gev__busy,
	.preempt = gev__preempt,
	.pin = gev__pin,
	.fd_claim = gev__loop_claim,
	.fd_disclaim = gev__loop_disclaim,
	.overflow = gev__overflow_tell,
	.fd_closed = gev__fd_closed,
	.fds_closed = gev__fds_closed,
	.each = each,
	.thread_name = thread_name,
	.signal_own = gev__dump_owns,
	.watch_self = gev__watch_self,
	.ready_count = ready_count,
	.watch_counts = gev__stats_passed,
	.lot_wake_one_async = gev__lot_wake_one_async,
	.deadline = deadline,
	.turn = turn,
	.offload = gev__offload,
	.offload_brief = gev__offload_brief,
	.fd_poll = gev__fd_poll,
};

const struct gev_embed *gev_embed_v1(void)
{
	return &table;
}
