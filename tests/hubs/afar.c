/* What the headers let other OS threads do to a hub's greenlets and descriptors, each from a plain thread and from a greenlet of another hub: kill and interrupt
 * through the shim's door, attend, close one descriptor or a range of them; and dial, listen and fail on several hubs at once. */
#include "hubs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/base/sys.h"

enum { ROUNDS = 20 };

static const struct gev_embed *rt;

/* ---- Who waits on the hub, and who comes from afar ---- */

static struct {
	struct gev_greenlet *g; /* with a handle of the other's */
	int fds[2];
	int stands; /* atomic: rounds in which he waits by now */
	int told;   /* atomic: rounds in which he has said why it ended */
} it;

static void wait_for(const int *word, int value)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < value) {
		if (rt->self())
			gev_sleep(0.0001);
		else
			sched_yield();
	}
}

static void stand(void)
{
	__atomic_add_fetch(&it.stands, 1, __ATOMIC_RELEASE);
}

/* Stands once the caller has parked. */
static void *stand_soon(void *arg)
{
	stand();
	return NULL;
}

/* What ends it: a wake may be left of the round before. */
static int park(unsigned flags)
{
	int r;
	do
		r = rt->park(GEV_NEVER, flags);
	while (r == 0);
	return r;
}

static void tell(void)
{
	__atomic_add_fetch(&it.told, 1, __ATOMIC_RELEASE);
}

/* ---- Kill ---- */

static void *be_killed(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		stand();
		must(park(GEV_PARK_KILLABLE) == -ECANCELED);
		tell();
		while (gev_is_killed())
			rt->yield();
	}
	return NULL;
}

static void *kill_it(void *arg)
{
	for (int i = 1; i <= ROUNDS; i++) {
		wait_for(&it.stands, i);
		rt->kill(it.g, true);
		wait_for(&it.told, i);
		rt->kill(it.g, false);
	}
	return NULL;
}

/* ---- Interrupt ---- */

static void *be_interrupted(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		stand();
		must(park(GEV_PARK_INTERRUPTIBLE) == -EINTR);
		rt->interrupt(gev_self(), false);
		tell();
	}
	return NULL;
}

static void *interrupt_it(void *arg)
{
	for (int i = 1; i <= ROUNDS; i++) {
		wait_for(&it.stands, i);
		must(!rt->interrupt(it.g, true)); /* from afar nobody knows whether it waits */
		wait_for(&it.told, i);
	}
	return NULL;
}

/* ---- Attend: the hook is called on the hub's own thread, now and then for other reasons too ---- */

static int attended; /* atomic */
static pthread_t hub_thread;

static void on_attend(void)
{
	must(pthread_equal(pthread_self(), hub_thread));
	__atomic_add_fetch(&attended, 1, __ATOMIC_RELEASE);
}

static void nothing(void)
{
}

static const struct gev_signal_hooks hooks = {
	.attend = on_attend, .arrive = nothing, .idle = nothing, .handle = nothing};

static void *be_attended(void *arg)
{
	stand();
	wait_for(&it.told, 1);
	return NULL;
}

static void *attend_it(void *arg)
{
	wait_for(&it.stands, 1);
	for (int i = 0; i < ROUNDS; i++) {
		int before = __atomic_load_n(&attended, __ATOMIC_ACQUIRE);
		rt->attend();
		wait_for(&attended, before + 1);
	}
	tell();
	return NULL;
}

/* ---- Closing ---- */

/* By itself, so that ThreadSanitizer can be told of it (tsan.supp). The library closes by it too. */
static __attribute__((noinline)) int close_number(int fd)
{
	int r = close(fd);
	__asm__ volatile("" : "+r"(r)); /* no tail call: this frame must be seen */
	return r;
}

static __attribute__((noinline)) int open_numbers(int pair[2])
{
	int r = socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	__asm__ volatile("" : "+r"(r));
	return r;
}

static void *be_closed(void *arg)
{
	char c;
	for (int i = 0; i < ROUNDS; i++) {
		must(open_numbers(it.fds) == 0);
		int fd = it.fds[0];
		gev_release(gev_spawn(stand_soon, NULL));
		must(gev_recv(fd, &c, 1, 0, GEV_FOREVER) == -1 && errno == EBADF);
		tell();
	}
	return NULL;
}

static void close_range_of_two(int one, int other)
{
	unsigned a = (unsigned)one, b = (unsigned)other, first = a < b ? a : b, last = a < b ? b : a;
	rt->fds_closing(first, last);
	must(close_number(one) == 0 && close_number(other) == 0);
	rt->fds_closed(first, last);
}

static void *close_it(void *arg)
{
	for (int i = 1; i <= ROUNDS; i++) {
		wait_for(&it.stands, i);
		int waited_for = it.fds[0], other = it.fds[1];
		if (i % 2)
			must(gev_close(waited_for) == 0 && gev_close(other) == 0);
		else
			close_range_of_two(waited_for, other);
		wait_for(&it.told, i);
	}
	return NULL;
}

static const struct {
	void *(*wait)(void *);
	void *(*come)(void *);
} pairs[] = {{be_killed, kill_it}, {be_interrupted, interrupt_it}, {be_attended, attend_it}, {be_closed, close_it}};

static void *come_in_a_greenlet(void *come)
{
	in_greenlets(1, *(void *(*const *)(void *))come, NULL);
	return NULL;
}

static void one_pair(int at, bool from_a_hub)
{
	pthread_t t;
	it.stands = it.told = 0;
	it.g = gev_spawn(pairs[at].wait, NULL);
	must(it.g != NULL);
	gev_ref(it.g);
	must(pthread_create(&t, NULL, from_a_hub ? come_in_a_greenlet : pairs[at].come, (void *)&pairs[at].come) == 0);
	must(gev_join(it.g, GEV_FOREVER, NULL) == 0);
	must(pthread_join(t, NULL) == 0);
	gev_release(it.g);
	gev_release(it.g);
}

/* ---- Each hub listens, dials the next one, and fails ---- */

enum { HUBS = 3 };

static int ports[HUBS]; /* atomic; 0: not yet */
static int next_hub;    /* atomic */

static void *answer_one(void *arg)
{
	char c;
	int fd = gev_accept(*(int *)arg, NULL, NULL, 30);
	must(fd >= 0 && gev_read(fd, &c, 1, 30) == 1 && gev_write(fd, &c, 1, 30) == 1 && gev_close(fd) == 0);
	return gev_fail(ECANCELED, "as it was to be");
}

static void *meet_the_next(void *arg)
{
	struct sockaddr_in address = {0};
	socklen_t length = sizeof address;
	char to[32], c = 0;
	int me = __atomic_fetch_add(&next_hub, 1, __ATOMIC_RELAXED);
	int fd = gev_listen("127.0.0.1:0", 4);
	must(fd >= 0 && getsockname(fd, (struct sockaddr *)&address, &length) == 0);
	__atomic_store_n(&ports[me], ntohs(address.sin_port), __ATOMIC_RELEASE);
	struct gev_greenlet *g = gev_spawn(answer_one, &fd);
	int *theirs = &ports[(me + 1) % HUBS];
	wait_for(theirs, 1);
	snprintf(to, sizeof to, "%s:%d", me ? "127.0.0.1" : "localhost", *theirs);
	int out = gev_dial(to, 30);
	must(out >= 0 && gev_write(out, "x", 1, 30) == 1 && gev_read(out, &c, 1, 30) == 1 && c == 'x');
	must(gev_close(out) == 0);
	must(gev_join(g, 30, NULL) == 0 && gev_error(g) == ECANCELED);
	gev_release(g);
	must(gev_close(fd) == 0);
	return NULL;
}

static void *fail_plainly(void *arg)
{
	must(gev_fail(EIO, "this is a test, and a plain thread") == NULL && gev_self() == NULL);
	return NULL;
}

int main(void)
{
	give_up_after(120);
	rt = gev_embed_v1();
	gev__sys.close = close_number;
	hub_thread = pthread_self();
	must(gev_sleep(0) == 0);
	rt->signal_hooks(&hooks);
	for (int i = 0; i < 2 * (int)(sizeof pairs / sizeof *pairs); i++)
		one_pair(i / 2, i % 2);
	on_threads(HUBS, meet_the_next, NULL);
	on_threads(2, fail_plainly, NULL);
	return 0;
}
