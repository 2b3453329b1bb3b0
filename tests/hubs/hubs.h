/* hubs.h: what the tests with several hubs share. They are plain programs and not Criterion's: ThreadSanitizer must be able to watch them, and
 * Criterion's sandbox does not run under it. Status 0: passed; a report of the sanitizer makes it another. */
#ifndef TESTS_HUBS_H
#define TESTS_HUBS_H

#include <gev/gev.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gev/embed.h"
#include "lib/context/identity.h"

#define must(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                        \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

enum { MOST_THREADS = 16 };

/* Runs fn(arg) on n OS threads at once, and waits for all. */
static inline void on_threads(int n, void *(*fn)(void *), void *arg)
{
	pthread_t t[MOST_THREADS];
	must(n <= MOST_THREADS);
	for (int i = 0; i < n; i++)
		must(pthread_create(&t[i], NULL, fn, arg) == 0);
	for (int i = 0; i < n; i++)
		must(pthread_join(t[i], NULL) == 0);
}

/* Runs fn(arg) in n greenlets of the caller's hub, every other one as a thread of its own where that can be, and waits for all. */
static inline void in_greenlets(int n, void *(*fn)(void *), void *arg)
{
	struct gev_greenlet **g = calloc((size_t)n, sizeof(*g));
	bool own = gev__identity_missing() == NULL;
	must(g != NULL);
	for (int i = 0; i < n; i++) {
		struct gev_spawn_attr attr = {.identity = i % 2 && own ? GEV_IDENTITY_OWN : GEV_IDENTITY_SHARED};
		g[i] = gev_spawn_with(&attr, fn, arg);
		must(g[i] != NULL);
	}
	for (int i = 0; i < n; i++) {
		must(gev_join(g[i], GEV_FOREVER, NULL) == 0);
		gev_release(g[i]);
	}
	free(g);
}

/* A wake that is lost shows as a hang: this ends it. */
static inline void give_up_after(unsigned seconds)
{
	alarm(seconds);
}

#endif
