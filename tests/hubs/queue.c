/* Queues between hubs: greenlets of several hubs and plain OS threads put and get plain data, give up, are killed, and free the queue as soon as they are
 * served. What was put is got, once. */
#include "hubs.h"

#include <errno.h>

enum { HUBS = 2, GREENLETS = 4, PARCELS = 100 };

struct parcel {
	long number; /* plain */
};

static struct gev_queue *queue;
static long put_sum, got_sum, got; /* atomic */

static void *produce(void *arg)
{
	for (long i = 1; i <= PARCELS; i++) {
		struct parcel *p = calloc(1, sizeof *p);
		must(p != NULL);
		p->number = i;
		__atomic_add_fetch(&put_sum, i, __ATOMIC_RELAXED);
		if (i % 5 == 0 && gev_queue_put(queue, p, (double)(i % 7) * 1e-5) == 0)
			continue;
		must(i % 5 || (errno == ETIMEDOUT && p->number == i));
		must(gev_queue_put(queue, p, GEV_FOREVER) == 0);
	}
	return NULL;
}

/* Until the queue is closed, or he is killed. */
static void *consume(void *arg)
{
	void *item;
	for (int i = 0;; i++) {
		if (gev_queue_get(queue, &item, i % 5 ? GEV_FOREVER : (double)(i % 7) * 1e-5)) {
			must(errno == ETIMEDOUT || errno == EPIPE || (errno == ECANCELED && gev_is_killed()));
			if (errno == ETIMEDOUT)
				continue;
			return NULL;
		}
		struct parcel *p = item;
		__atomic_add_fetch(&got_sum, p->number, __ATOMIC_RELAXED);
		__atomic_add_fetch(&got, 1, __ATOMIC_RELAXED);
		free(p);
		must(gev_queue_task_done(queue) == 0);
	}
}

static void *peek(void *arg)
{
	void *item;
	for (int i = 0; i < PARCELS; i++) {
		(void)gev_queue_size(queue);
		must(gev_queue_peek(queue, &item, 0.0001) == 0 || errno == ETIMEDOUT || errno == EPIPE);
		sched_yield();
	}
	return NULL;
}

static void *produce_in_greenlets(void *arg)
{
	in_greenlets(GREENLETS, produce, NULL);
	return NULL;
}

static struct gev_greenlet *doomed[HUBS]; /* atomic */

static void *consume_in_greenlets(void *arg)
{
	struct gev_greenlet *g = gev_spawn(consume, NULL);
	__atomic_store_n(&doomed[(intptr_t)arg], g, __ATOMIC_RELEASE);
	in_greenlets(GREENLETS - 1, consume, NULL);
	must(gev_join(g, GEV_FOREVER, NULL) == 0);
	return NULL;
}

static void all_through(size_t most)
{
	enum { CREW = 2 * HUBS + 3 };
	pthread_t t[CREW];
	const long total = (HUBS * GREENLETS + 1) * PARCELS;
	int n = 0;
	queue = gev_queue_new(most);
	must(queue != NULL);
	put_sum = got_sum = got = 0;
	for (intptr_t i = 0; i < HUBS; i++)
		must(pthread_create(&t[n++], NULL, consume_in_greenlets, (void *)i) == 0);
	must(pthread_create(&t[n++], NULL, consume, NULL) == 0);
	if (most)
		must(pthread_create(&t[n++], NULL, peek, NULL) == 0);
	for (int i = 0; i < HUBS; i++)
		must(pthread_create(&t[n++], NULL, produce_in_greenlets, NULL) == 0);
	produce(NULL);
	/* One consumer of each hub is killed while the others go on. */
	for (int i = 0; i < HUBS; i++) {
		struct gev_greenlet *g;
		while ((g = __atomic_exchange_n(&doomed[i], NULL, __ATOMIC_ACQUIRE)) == NULL)
			sched_yield();
		gev_kill(g);
		gev_release(g);
	}
	for (int i = n - HUBS; i < n; i++)
		must(pthread_join(t[i], NULL) == 0);
	must(gev_queue_join(queue, GEV_FOREVER) == 0);
	must(got == total && put_sum == got_sum);
	gev_queue_close(queue);
	for (int i = 0; i < n - HUBS; i++)
		must(pthread_join(t[i], NULL) == 0);
	must(gev_queue_size(queue) == 0);
	gev_queue_free(queue);
}

/* ---- Each queue for one item: who is served frees it, while the other's call may not have returned ---- */

enum { ROUNDS = 300 };

static struct gev_queue *post;

static void *serve(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct gev_queue *q = gev_queue_new((size_t)i % 2);
		must(q != NULL && gev_queue_put(post, q, GEV_FOREVER) == 0);
		if (i % 3 == 2)
			gev_queue_close(q);
		else
			must(gev_queue_put(q, q, GEV_FOREVER) == 0);
	}
	gev_queue_close(post);
	return NULL;
}

static void *be_served(void *arg)
{
	void *q, *item;
	while (gev_queue_get(post, &q, GEV_FOREVER) == 0) {
		must(gev_queue_get(q, &item, GEV_FOREVER) == 0 ? item == q : errno == EPIPE);
		gev_queue_free(q);
	}
	return NULL;
}

static void *in_a_greenlet(void *arg)
{
	in_greenlets(1, be_served, NULL);
	return NULL;
}

static void serve_one_by_one(void *(*other)(void *))
{
	pthread_t t;
	post = gev_queue_new(0);
	must(post != NULL && pthread_create(&t, NULL, other, NULL) == 0);
	serve(NULL);
	must(pthread_join(t, NULL) == 0);
	gev_queue_free(post);
}

int main(void)
{
	give_up_after(120);
	all_through(0);
	all_through(3);
	all_through(GEV_QUEUE_UNBOUNDED);
	serve_one_by_one(be_served);
	serve_one_by_one(in_a_greenlet);
	return 0;
}
