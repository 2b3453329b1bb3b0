/* Who is inside the loader.
 *
 * The constructors and destructors of a library run under the loader's lock, and so do the callbacks of dl_iterate_phdr under another. Such a thread
 * must not be switched away from in the middle, neither by a time slice nor by a call that waits: the next one that comes to the loader would wait for
 * the lock with the whole OS thread.
 * dlopen cannot be wrapped (a wrapper is another caller, and it looks for the libraries of its caller). So the locks themselves are
 * looked at: they lie side by side in the loader's data (sysdeps/generic/ldsodefs.h: _dl_load_lock, _dl_load_write_lock), and the second is
 * the one that is ours while dl_iterate_phdr calls us. */
#include <dlfcn.h>
#include <link.h>

#include "shim/base/log.h"
#include "shim/base/patch.h"
#include "shim/pthread/thread.h"
#include "shim/signal/slice.h"

static const pthread_mutex_t nobodys[2];
const pthread_mutex_t *patch_loader_locks = nobodys;

static bool is_recursive(const pthread_mutex_t *m)
{
	return m->__data.__kind == PTHREAD_MUTEX_RECURSIVE;
}

static bool is_mine(const pthread_mutex_t *m)
{
	return m->__data.__lock != 0 && m->__data.__owner == patch_tid();
}

static int find(struct dl_phdr_info *info, size_t size, void *data)
{
	Dl_info about;
	const ElfW(Sym) *symbol = NULL;
	const pthread_mutex_t *m;
	const char *at = dlsym(RTLD_DEFAULT, "_rtld_global");
	if (at == NULL || !dladdr1(at, &about, (void **)&symbol, RTLD_DL_SYMENT) || symbol == NULL)
		return 1;
	for (size_t i = sizeof *m; i + sizeof *m <= symbol->st_size; i += sizeof(void *)) {
		m = (const pthread_mutex_t *)(const void *)(at + i);
		if (is_recursive(m) && is_mine(m) && m->__data.__count == 1 && is_recursive(m - 1) &&
		    m[-1].__data.__lock == 0) {
			patch_loader_locks = m - 1;
			break;
		}
	}
	return 1; /* once is enough */
}

void patch_loader_begin(void)
{
	dl_iterate_phdr(find, NULL);
	if (patch_loader_locks == nobodys)
		patch_say(
			"the loader's lock was not found: constructors that wait, or compute for long, may stop the process");
}

bool patch_loader_mine(void)
{
	return is_mine(&patch_loader_locks[0]) || is_mine(&patch_loader_locks[1]);
}
