/* visit.h: a call of libc's that may wait inside libc, made on a real thread as if by its caller, who is parked meanwhile.
 *
 * For calls that ask somebody by way of libc's own calls, which no wrapper sees, perhaps under a lock of libc's: look-ups of names and accounts
 * (nss(5)), the log. Of the caller's own thread these count there, and go along: errno, h_errno, the state of the resolver (_res), the locale.
 *
 * Where the caller cannot park it makes the call itself, and then nobody parks in it: not a source either that is called back under libc's lock and
 * waits in a wrapper. */
#ifndef SHIM_LIBC_VISIT_H
#define SHIM_LIBC_VISIT_H

#include <locale.h>

#include "shim/base/patch.h"

struct visit {
	void (*call)(struct visit *v);
	const char *host; /* the name that is looked up, for those who look on; NULL: none */
	int error, h_error;
	struct __res_state *resolver;
	locale_t locale;
};

/* Whether the caller would be parked for a look-up (GEV_RESOLVER), or for any other such call. */
bool visit_may_look_up(void);
/* Makes the call. errno and h_errno are afterwards as it left them. parks: one of the two above, or patch_green(). */
void visit(struct visit *v, bool parks);
/* The same on a real thread made for it, which is the hub's OS thread's own copy for the kernel. Parks whenever it can. */
void visit_alone(struct visit *v);

/* ---- resolver.c ---- */

/* The caller's own state of the resolver; NULL: he has none of his own, or it is not known where libc keeps it. */
struct __res_state *resolver_mine(void);
/* From now on the calling thread resolves with that state. What it had. */
struct __res_state *resolver_set(struct __res_state *state);
/* Once, in main, before the first green thread. */
void resolver_begin(void);
/* At the end of a green thread. */
void resolver_end(void);

#endif
