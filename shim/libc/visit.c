/* A call on a real thread, with what it needs of its caller's. */
#include "shim/libc/visit.h"

#include <netdb.h>

#include "shim/base/options.h"
#include "shim/pthread/aside.h"

enum { ON_THREAD }; /* the place of "thread" among the words of GEV_RESOLVER */

bool visit_may_look_up(void)
{
	return patch_options()->resolver == ON_THREAD && patch_green();
}

/* On the real thread; others may come after this one. */
static void call_as_caller(void *arg)
{
	struct visit *v = arg;
	struct __res_state *resolver = v->resolver ? resolver_set(v->resolver) : NULL;
	locale_t locale = uselocale(v->locale);
	errno = v->error;
	h_errno = v->h_error;
	v->call(v);
	v->error = errno;
	v->h_error = h_errno;
	uselocale(locale);
	if (v->resolver)
		resolver_set(resolver);
}

struct alone {
	struct patch_aside aside;
	struct visit *visit;
};

static void call_alone(struct patch_aside *a)
{
	call_as_caller(((struct alone *)(void *)a)->visit);
}

static bool call_there(struct visit *v, bool alone)
{
	struct alone a = {.aside.call = call_alone, .visit = v};
	v->error = errno;
	v->h_error = h_errno;
	v->resolver = resolver_mine();
	v->locale = uselocale((locale_t)0);
	bool done = alone ? patch_aside(&a.aside, GEV_PARK_PLAIN) == 0
			  : patch_gev->offload(call_as_caller, v, v->host) == 0;
	errno = v->error;
	h_errno = done ? v->h_error : h_errno;
	return done;
}

/* Also where no thread is to be had. */
static void call_here(struct visit *v)
{
	bool pins = patch_self();
	if (pins) {
		resolver_mine();
		patch_gev->pin(1);
	}
	v->call(v);
	if (pins)
		patch_gev->pin(-1);
}

void visit(struct visit *v, bool parks)
{
	if (!parks || !call_there(v, false))
		call_here(v);
}

void visit_alone(struct visit *v)
{
	if (!patch_green() || !call_there(v, true))
		call_here(v);
}
