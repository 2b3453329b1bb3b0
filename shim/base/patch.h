/* patch.h: what every wrapper starts from: is there a runtime, and who is calling?
 *
 * A wrapper has three steps: enter, behave, convert.
 *
 * Calls on descriptors and time:
 *
 *     if (!patch_green())
 *             return real.recv(fd, buf, n, flags);       // single flow, hub, foreign OS thread: as native
 *     ... behave through patch_gev->..., results are -errno ...
 *     return patch_result(r);                            // -1 and errno, exactly as POSIX says
 *
 * Calls on objects (mutex, condition...) keep their state in libc's own format and never pass through because of who
 * calls. Once the runtime has started every thread waits in the parking lot; before that libc's own function waits, on
 * the same words, and an unlock wakes those who still do (patch_wake_native).
 */
#ifndef PATCH_PATCH_H
#define PATCH_PATCH_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "gev/embed.h"
#include "shim/base/real.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* The runtime's table; NULL until patch_load. */
extern const struct gev_embed *patch_gev;

/* Loads libgev (the program's own copy if it linked one, else privately, from beside libpatch.so). 0, or -ENOSYS after one message. Any thread. */
int patch_load(void);

/* patch_load, and makes the calling OS thread the hub's thread, if no other is. 0; -ENOSYS (no runtime);
 * -EPERM: another OS thread has the hub already (this one stays foreign); -ENOMEM. */
int patch_start(void);

/* Set once by patch_start; never cleared. */
extern bool patch_started;

/* The families of symbols.def that GEV_ONLY and GEV_EXCEPT can leave to libc, in the order of those options' words, and PATCH_ANY for
 * all else. Calls that wait for a descriptor or for time, and nothing else: each is right by itself, whoever waits in it. Threads and the
 * objects they wait on cannot be left alone one by one, because two implementations must never read one object; nor can what makes and
 * closes descriptors, because its bookkeeping serves the others. A file of wrappers says its family by PATCH_FAMILY before it includes
 * this. */
enum patch_family {
	PATCH_ANY,
	PATCH_FAMILY_TIME,
	PATCH_FAMILY_IO,
	PATCH_FAMILY_SOCKET,
	PATCH_FAMILY_POLL,
	PATCH_FAMILIES
};

/* Of each family: set once by patch_start unless GEV_ONLY or GEV_EXCEPT leaves it to libc; never cleared. */
extern bool patch_enters[PATCH_FAMILIES];

/* Sets patch_enters, as the environment says. */
void patch_families_start(void);

#ifndef PATCH_FAMILY
#define PATCH_FAMILY PATCH_ANY
#endif

/* Something of the shim's matters to a program that waits in the kernel: a tick on its way, a signal that lies here, a cancellation of which libc
 * knows nothing, a real thread that may send one (signal/calm.c). */
extern unsigned patch_restless; /* atomic */
enum { PATCH_TICKS = 1, PATCH_NOTES = 2, PATCH_CANCELS = 4, PATCH_REAL = 8 };

/* Sees to it; then as self_if_others, or the caller's greenlet if it is to end in this call or may be ended in it. */
struct gev_greenlet *patch_calm(void);

/* The loader's two locks, once they are known (signal/loader.c), and before that two that nobody holds. */
extern const pthread_mutex_t *patch_loader_locks;

/* Whether anybody holds one of them. */
static inline bool patch_loader_busy(void)
{
	return __atomic_load_n(&patch_loader_locks[0].__data.__lock, __ATOMIC_RELAXED) |
	       __atomic_load_n(&patch_loader_locks[1].__data.__lock, __ATOMIC_RELAXED);
}

/* Whether the caller does: it is in a library's constructor or destructor, or in a callback of dl_iterate_phdr. */
bool patch_loader_mine(void);

/* The caller's greenlet, when it must not block the OS thread; NULL: make the original call. For descriptors and time. Inside the loader nobody is
 * switched away from: the next one that came there would wait for its lock with the whole OS thread. */
static inline struct gev_greenlet *patch_green(void)
{
	if (likely(!patch_enters[PATCH_FAMILY]))
		return NULL;
	struct gev_greenlet *g = patch_gev->self_if_others();
	if (unlikely(g == NULL && __atomic_load_n(&patch_restless, __ATOMIC_RELAXED)))
		g = patch_calm();
	return unlikely(patch_loader_busy()) && patch_loader_mine() ? NULL : g;
}

/* The caller's greenlet, others or not; NULL: a plain OS thread or the hub itself. For bookkeeping and objects. */
static inline struct gev_greenlet *patch_self(void)
{
	return likely(!patch_started) ? NULL : patch_gev->self();
}

/* The one converter of descriptor calls: -errno to -1 and errno. */
static inline ssize_t patch_result(ssize_t r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

#endif
