/* current.h: who runs on this OS thread.
 *
 * The answer lies in thread-local storage, right in every identity at every moment. But with thousands of identities that word is a cache miss and a
 * cold page a request, and whoever asks has just come from another one. So the first hub's also lies in one place
 * for the process, beside the thread pointer that it is true for: who runs as that one, and nobody else, may believe it. */
#ifndef GEV_CORE_CURRENT_H
#define GEV_CORE_CURRENT_H

#include <stddef.h>

#include "lib/base/macros.h"
#include "lib/context/thread-pointer.h"

struct gev_greenlet;

/* A greenlet, the hub's own, or NULL where there is no hub. Written at each arrival where several share a thread pointer, else at birth. initial-exec: one
 * instruction to read, and a preloaded program's late load finds room in the static TLS reserve. */
extern __thread struct gev_greenlet *gev__current __attribute__((tls_model("initial-exec")));

/* Who runs in one hub, and as which thread pointer. Written by that hub's OS thread alone. */
struct gev__running {
	void *tp; /* atomic: others read it to find that it is not theirs */
	struct gev_greenlet *greenlet;
};

extern struct gev__running gev__first_hub not_exported;

static inline struct gev_greenlet *gev__self(void)
{
	if (likely(gev__tp_get() == __atomic_load_n(&gev__first_hub.tp, __ATOMIC_RELAXED)))
		return gev__first_hub.greenlet;
	return gev__current;
}

#endif
