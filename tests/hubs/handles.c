/* Handles go from hand to hand between OS threads, with and without a hub: joined, killed, linked to nothing that is gone, given back anywhere, also after
 * the thread of their greenlets has ended. */
#include "hubs.h"

#include <errno.h>

#include "lib/base/clock.h"

enum { TAKERS = 3, GIVERS = 2, ROUNDS = 400, EACH = 8 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct gev_greenlet *at[64];
	int n;
	int givers;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .givers = GIVERS};

static void give(struct gev_greenlet *g)
{
	pthread_mutex_lock(&table.lock);
	while (table.n == 64)
		pthread_cond_wait(&table.changed, &table.lock);
	table.at[table.n++] = g;
	pthread_cond_broadcast(&table.changed);
	pthread_mutex_unlock(&table.lock);
}

/* NULL: there will be no more. */
static struct gev_greenlet *take(void)
{
	pthread_mutex_lock(&table.lock);
	while (table.n == 0 && table.givers)
		pthread_cond_wait(&table.changed, &table.lock);
	struct gev_greenlet *g = table.n ? table.at[--table.n] : NULL;
	pthread_cond_broadcast(&table.changed);
	pthread_mutex_unlock(&table.lock);
	return g;
}

static void *be_short(void *arg)
{
	if ((intptr_t)arg % 3 == 0)
		gev_yield();
	if ((intptr_t)arg % 3 == 1)
		gev_sleep(0.0001);
	if ((intptr_t)arg % 16 == 5)
		gev_sleep(1000); /* its thread ends before it does, unless it is killed */
	return arg;
}

static void *live(void *arg)
{
	for (intptr_t i = 0; i < EACH; i++) {
		struct gev_greenlet *g = gev_spawn(be_short, (void *)((intptr_t)arg + i));
		must(g != NULL);
		gev_ref(g);
		give(g);
		if (i % 2)
			must(gev_join(g, 0.001, NULL) == 0 || errno == ETIMEDOUT);
		gev_release(g);
	}
	return NULL;
}

/* Each life is a thread with a hub of its own, which ends with what it has given away. */
static void *giver(void *arg)
{
	for (intptr_t i = 0; i < ROUNDS; i++) {
		pthread_t t;
		must(pthread_create(&t, NULL, live, (void *)(i * EACH)) == 0);
		must(pthread_join(t, NULL) == 0);
	}
	pthread_mutex_lock(&table.lock);
	table.givers--;
	pthread_cond_broadcast(&table.changed);
	pthread_mutex_unlock(&table.lock);
	return NULL;
}

static void *taker(void *arg)
{
	if (arg)
		gev_sleep(0); /* with a hub of its own */
	struct gev_greenlet *g;
	for (int i = 0; (g = take()) != NULL; i++) {
		if (i % 3 == 0)
			gev_kill(g);
		if (i % 4 == 1) {
			int r = gev_join(g, 0.0005, NULL);
			must(r == 0 || errno == ETIMEDOUT || errno == ESRCH);
			must(r == -1 || gev_is_done(g));
		}
		if (i % 5 == 0)
			gev_release(gev_ref(g));
		(void)gev_error(g);
		gev_release(g);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[TAKERS + GIVERS];
	for (intptr_t i = 0; i < TAKERS + GIVERS; i++)
		must(pthread_create(&t[i], NULL, i < GIVERS ? giver : taker, (void *)(i % 2)) == 0);
	for (int i = 0; i < TAKERS + GIVERS; i++)
		must(pthread_join(t[i], NULL) == 0);
	must(table.n == 0);
	return 0;
}
