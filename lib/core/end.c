/* The end of a greenlet: by return, by gev_exit; defers; failure.
 *
 * gev_exit unwinds with the compiler's own unwinder (_Unwind_ForcedUnwind), so that C++ destructors run, and the cleanup functions of C code that was
 * compiled with -fexceptions. At the bottom of the stack its stop function does not return: it ends the greenlet from where it stands.
 * C code without -fexceptions keeps its cleanup handlers in a list in the thread's control block (pthread.h, __pthread_register_cancel). With an
 * identity of its own a greenlet has that list, and libc's unwinding, for itself; that is used then, and ends in a frame of libc's kind below
 * the function. As in libpatch's entry frame this file must be compiled without -fexceptions, or libc does not see it. */
#include "lib/core/end.h"

#include <gev/end.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __EXCEPTIONS
#error "end.c needs -fno-exceptions"
#endif

#include "lib/base/log.h"
#include "lib/base/macros.h"
#include "lib/base/result.h"
#include "lib/base/sys.h"
#include "lib/core/defer.h"
#include "lib/core/extra.h"
#include "lib/core/hub.h"
#include "lib/core/kill.h"
#include "lib/core/park.h"

#include <sys/syscall.h>

/* ---- The way to the end ---- */

static struct gev__room *room_of(const struct gev_greenlet *g)
{
	return g->arg;
}

/* Its function is over. On its stack still. Its value, or its error. */
static void *outcome(struct gev_greenlet *g)
{
	const struct gev__room *room = room_of(g);
	if (unlikely(g->extra != NULL))
		gev__last_words(g);
	return unlikely(g->failed) ? (void *)(intptr_t)room->error : room->value;
}

static void __attribute__((noreturn)) end(struct gev_greenlet *g)
{
	void *value = outcome(g);
	if (g->own_identity) {
		gev__shield_begin(g);
		gev__identity_end();
	}
	gev__greenlet_finish(value);
}

/* With an identity of its own: the frame that libc's unwinding ends in, from the function and from its defers. */
static void __attribute__((noreturn)) live_framed(struct gev_greenlet *g, void *arg)
{
	struct gev__room *room = room_of(g);
	__pthread_unwind_buf_t frame;
	(void)__sigsetjmp_cancel(frame.__cancel_jmp_buf, 0); /* returns again from every exit */
	__pthread_register_cancel(&frame);
	if (!room->ended) {
		room->ended = true;
		room->value = g->entry(arg);
	}
	end(g);
}

void *gev__greenlet_live(struct gev_greenlet *g)
{
	struct gev__room room;
	void *arg = g->arg;
	room.value = NULL; /* as pthread_exit leaves it */
	room.error = room.ended = 0;
	g->arg = &room;
	if (unlikely(g->own_identity))
		live_framed(g, arg);
	room.value = g->entry(arg);
	return outcome(g);
}

/* ---- gev_exit ---- */

typedef _Unwind_Reason_Code forced_unwind(struct _Unwind_Exception *exception, _Unwind_Stop_Fn stop, void *arg);

/* As libc does for pthread_exit: only who unwinds loads the unwinder. */
static forced_unwind *find_unwinder(void)
{
	void *lib = dlopen("libgcc_s.so.1", RTLD_NOW);
	return lib ? (forced_unwind *)dlsym(lib, "_Unwind_ForcedUnwind") : NULL;
}

static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
				struct _Unwind_Exception *exception, struct _Unwind_Context *context, void *g)
{
	if (actions & _UA_END_OF_STACK)
		end(g);
	return _URC_NO_REASON;
}

/* A catch (...) that does not throw on. */
static void swallowed(_Unwind_Reason_Code reason, struct _Unwind_Exception *exception)
{
	gev__die("gev_exit: caught, and not thrown on");
}

static void __attribute__((noreturn)) unwind(struct gev_greenlet *g)
{
	static forced_unwind *found; /* atomic: several hubs may look for it at once, and find the same */
	forced_unwind *unwinder = __atomic_load_n(&found, __ATOMIC_ACQUIRE);
	if (unwinder == NULL) {
		unwinder = find_unwinder();
		__atomic_store_n(&found, unwinder, __ATOMIC_RELEASE);
		if (unwinder == NULL)
			gev__warn("gev_exit: no libgcc_s.so.1: destructors do not run");
	}
	struct gev__room *room = room_of(g);
	memset(&room->exception, 0, sizeof room->exception);
	room->exception.exception_cleanup = swallowed;
	if (unwinder)
		unwinder(&room->exception, stop, g);
	end(g); /* it could not go on, because some frame has no unwind information */
}

static void __attribute__((noreturn)) unwind_as_thread(void)
{
	__pthread_unwind_buf_t here;
	__pthread_register_cancel(&here); /* libc's only way to tell where its list begins */
	__pthread_unwind_next(&here);
}

/* The OS thread's original flow: the thread's end. The process's first thread goes, and the greenlets go on. */
static void __attribute__((noreturn)) exit_main(struct gev_greenlet *g, void *value)
{
	static struct gev__room room;
	if (gev__spawn_identity || gev__sys.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0) != getpid())
		pthread_exit(value);
	g->arg = &room;
	unwind(g);
}

void gev_exit(void *value)
{
	struct gev_greenlet *g = gev__self();
	if (g == NULL || g->is_thread)
		pthread_exit(value);
	if (g == &g->hub->self)
		gev__die("gev_exit in a link");
	if (g == &g->hub->main)
		exit_main(g, value);
	room_of(g)->value = value;
	if (g->own_identity)
		unwind_as_thread();
	unwind(g);
}

/* ---- Defers ---- */

struct gev__defer {
	struct gev__defer *next;
	void (*fn)(void *);
	void *arg;
};

static int defer(void (*fn)(void *), void *arg)
{
	struct gev_greenlet *g = gev__self();
	if (fn == NULL)
		return -EINVAL;
	if (g == NULL || g == &g->hub->self || g == &g->hub->main || g->is_thread)
		return -EPERM;
	struct gev__extra *x = gev__extra(g);
	g->hub->busy++;
	struct gev__defer *d = x ? malloc(sizeof *d) : NULL;
	g->hub->busy--;
	if (d == NULL)
		return -ENOMEM;
	*d = (struct gev__defer){.next = x->defers, .fn = fn, .arg = arg};
	x->defers = d;
	return 0;
}

int gev_defer(void (*fn)(void *), void *arg)
{
	return (int)gev__result(defer(fn, arg));
}

void gev__defers_run(struct gev_greenlet *g)
{
	struct gev__extra *x = g->extra;
	while (x->defers) {
		struct gev__defer *d = x->defers;
		void (*fn)(void *) = d->fn;
		void *arg = d->arg;
		x->defers = d->next;
		free(d);
		fn(arg);
	}
}

void gev__defers_free(struct gev__extra *x)
{
	while (x->defers) {
		struct gev__defer *d = x->defers;
		x->defers = d->next;
		free(d);
	}
}

/* ---- Failure ---- */

static void report(const struct gev_greenlet *g, int error, const char *what)
{
	const char *colon = what ? ": " : "";
	what = what ? what : "";
	const char *text = strerrordesc_np(error);
	if (text == NULL)
		text = "unknown error";
	if (g == NULL || g == &g->hub->main)
		gev__warn("the main greenlet failed: %s%s%s", what, colon, text);
	else if (*g->name)
		gev__warn("greenlet \"%s\" failed: %s%s%s", g->name, what, colon, text);
	else
		gev__warn("greenlet %p (it has no name) failed: %s%s%s", (const void *)g, what, colon, text);
}

void *gev_fail(int error, const char *what)
{
	struct gev_greenlet *g = gev__self();
	if (error <= 0)
		error = EINVAL;
	bool killed = error == ECANCELED && g && gev__is_killed(g);
	bool mine = g && g != &g->hub->main && g != &g->hub->self && !g->is_thread;
	if (!killed && !(mine && g->failed))
		report(g, error, what);
	if (mine) {
		g->failed = true;
		room_of(g)->error = error;
	}
	return NULL;
}
