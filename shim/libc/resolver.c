/* The state of the resolver, _res: each thread has its own.
 *
 * libc finds it by a word of its thread-local storage, __resp, which points to main's state until a new thread of libc's own has set it
 * (nptl/pthread_create.c, start_thread). Green threads do not begin there: theirs is made when they first need one. The word lies at the same
 * distance from the thread pointer in every thread. Where it is not found, all green threads share main's state, and what is looked up on a real
 * thread is looked up with that one's, as resolv.conf says. */
#include <dlfcn.h>
#include <resolv.h>
#include <stdlib.h>

#include "shim/libc/visit.h"
#include "shim/pthread/thread.h"

static ptrdiff_t distance; /* 0: not known */
static struct __res_state *of_main;
static __thread struct __res_state *made __attribute__((tls_model("initial-exec")));

static struct __res_state **word(void)
{
	return (void *)((char *)pthread_self() + distance);
}

void resolver_begin(void)
{
	struct __res_state **here = dlsym(RTLD_NEXT, "__resp");
	of_main = real.__res_state();
	if (here && *here == of_main)
		distance = (char *)here - (char *)pthread_self();
}

struct __res_state *resolver_set(struct __res_state *state)
{
	struct __res_state *before = *word();
	*word() = state;
	return before;
}

struct __res_state *resolver_mine(void)
{
	struct patch_thread *t = patch_thread_self();
	if (distance == 0 || t == NULL)
		return NULL;
	if (t->is_main)
		return of_main;
	if (made == NULL) {
		made = calloc(1, sizeof *made);
		if (made)
			resolver_set(made);
	}
	return made;
}

void resolver_end(void)
{
	if (likely(made == NULL))
		return;
	/* One that nobody has initialised is all zeros, and its socket the descriptor 0 (glibc resolv/res_init.c, __res_thread_freeres). */
	if (made->nscount > 0)
		res_nclose(made);
	resolver_set(of_main);
	free(made);
	made = NULL;
}

struct __res_state *patch___res_state(void)
{
	if (patch_started)
		resolver_mine();
	return real.__res_state();
}
EXPORT(__res_state);
