/* What libc keeps for each thread: errno, h_errno, strerror, the locale, dlerror, while the threads interleave. */
#include <dlfcn.h>
#include <locale.h>
#include <netdb.h>

#include "twin.h"

enum { THREADS = 10 };

static sem_t turn[THREADS + 1];

static void next(long me)
{
	sem_post(&turn[(me + 1) % (THREADS + 1)]);
	wait_for(&turn[me]);
}

static void *run(void *arg)
{
	long me = (long)arg;
	char missing[32], expected[64];
	wait_for(&turn[me]);
	check(uselocale((locale_t)0) == LC_GLOBAL_LOCALE);
	locale_t own = newlocale(LC_ALL_MASK, me % 2 ? "C.UTF-8" : "C", (locale_t)0), before;
	check(own && (before = uselocale(own)) == LC_GLOBAL_LOCALE);

	snprintf(missing, sizeof missing, "no_such_symbol_%ld", me);
	errno = 100 + (int)me;
	h_errno = (int)me;
	next(me);

	check(errno == 100 + (int)me && h_errno == (int)me);
	check(dlsym(RTLD_DEFAULT, missing) == NULL);
	const char *unknown = strerror(1000 + (int)me);
	next(me);

	snprintf(expected, sizeof expected, "Unknown error %ld", 1000 + me);
	check(!strcmp(unknown, expected));
	const char *why = dlerror();
	check(why && strstr(why, missing) && dlerror() == NULL);
	check(uselocale((locale_t)0) == own && MB_CUR_MAX == (me % 2 ? 6u : 1u));
	check(uselocale(LC_GLOBAL_LOCALE) == own);
	freelocale(own);
	next(me);
	sem_post(&turn[(me + 1) % (THREADS + 1)]);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	for (int i = 0; i <= THREADS; i++)
		sem_init(&turn[i], 0, 0);
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(run, (void *)i);
	report_threads();
	errno = 99;
	for (int round = 0; round < 4; round++) {
		sem_post(&turn[0]);
		wait_for(&turn[THREADS]);
	}
	check(errno == 99 && dlerror() == NULL);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("%d threads kept their own\n", THREADS);
	return 0;
}
