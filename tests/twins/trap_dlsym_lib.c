/* A library that has a pthread_create of its own, as an allocator has, and makes a thread of its own by the next one. */
#include <dlfcn.h>
#include <pthread.h>

typedef int create(pthread_t *id, const pthread_attr_t *attr, void *(*entry)(void *), void *arg);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int library_create(pthread_t *id, void *(*entry)(void *), void *arg);
EXPORTED int library_next_is_none(void);
EXPORTED int whose(void);

static create *next_create(void)
{
	static create *next;
	if (next == NULL)
		next = (create *)dlsym(RTLD_NEXT, "pthread_create");
	return next;
}

EXPORTED int pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*entry)(void *), void *arg)
{
	return next_create()(id, attr, entry, arg);
}

int library_create(pthread_t *id, void *(*entry)(void *), void *arg)
{
	return next_create()(id, NULL, entry, arg);
}

/* A name that the program has, too. */
int whose(void)
{
	return 2;
}

int library_next_is_none(void)
{
	return dlsym(RTLD_NEXT, "whose") == NULL;
}
