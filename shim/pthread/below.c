/* Real threads where a library that has a pthread_create of its own stands between us and libc.
 *
 *      the program -> ours -> the library's -> (RTLD_NEXT) patch_thread_create_below -> libc's     a thread that is to be real
 *                             the library   -> (RTLD_NEXT) patch_thread_create_below -> ours       one that the library makes for itself
 *
 * Which of the two it is, says whether the calling thread is inside ours. */
#include "shim/base/next.h"
#include "shim/pthread/thread.h"

typedef int create(pthread_t *id, const pthread_attr_t *attr, void *(*entry)(void *), void *arg);

static __thread bool making __attribute__((tls_model("initial-exec")));

int patch_create_real(pthread_t *id, const pthread_attr_t *attr, void *(*entry)(void *), void *arg)
{
	bool outer = making;
	making = true;
	int r = real.pthread_create(id, attr, entry, arg);
	making = outer;
	return r;
}

/* Before main begins nobody's threads are green: the library is at work for the loader. */
int patch_thread_create_below(pthread_t *id, const pthread_attr_t *attr, void *(*entry)(void *), void *arg)
{
	if (!making && patch_main_framed)
		return patch_pthread_create(id, attr, entry, arg);
	if (!making)
		patch_real_thread_comes();
	return ((create *)patch_in_libc("pthread_create"))(id, attr, entry, arg);
}
