/* Forks beside other hubs and plain threads, which are at work in the library at that moment: the child goes on alone. */
#include "hubs.h"

#include <sys/socket.h>
#include <sys/wait.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static const struct gev_embed *rt;

enum { FORKS = 6, HUBS = 2 };

static bool enough; /* atomic */
static int at_work; /* atomic */

static void *add_one(void *arg)
{
	return (char *)arg + 1;
}

static void *work(void *arg)
{
	int fds[2];
	char c;
	__atomic_add_fetch(&at_work, 1, __ATOMIC_RELAXED);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	while (!__atomic_load_n(&enough, __ATOMIC_RELAXED)) {
		struct gev_greenlet *g = gev_spawn(add_one, NULL);
		must(gev_read(fds[0], &c, 1, 0.0002) == -1);
		must(gev_join(g, GEV_FOREVER, NULL) == 0);
		gev_release(g);
	}
	must(gev_close(fds[0]) == 0 && gev_close(fds[1]) == 0);
	return NULL;
}

/* 0 if all is well. */
static int go_on(void)
{
	void *value = NULL;
	int fds[2];
	char c;
	struct gev_greenlet *g = gev_spawn(add_one, NULL);
	if (g == NULL || gev_join(g, 30, &value) || value != add_one(NULL))
		return __LINE__;
	gev_release(g);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) || gev_read(fds[0], &c, 1, 0.001) != -1)
		return __LINE__;
	if (gev_write(fds[1], "x", 1, 30) != 1 || gev_read(fds[0], &c, 1, 30) != 1)
		return __LINE__;
	return gev_close(fds[0]) || gev_close(fds[1]) ? __LINE__ : 0;
}

static void fork_once(void)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		give_up_after(60);
		_exit(go_on() & 0xff);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (status)
		fprintf(stderr, "a child ended with status %#x\n", (unsigned)status);
	must(status == 0);
}

static void fork_often(void)
{
	for (int i = 0; i < FORKS; i++) {
		rt->fork_prepare();
		rt->fork_parent();
		/* The sanitizers' allocators do not hold their locks around a fork (gcc 12: seen in the child, SizeClassAllocator64 waiting for a thread
		 * that is not there): with them nobody is born. */
		if (!SANITIZED)
			fork_once();
	}
}

int main(void)
{
	pthread_t t[HUBS];
	give_up_after(120);
	for (int i = 0; i < HUBS; i++)
		must(pthread_create(&t[i], NULL, work, NULL) == 0);
	while (__atomic_load_n(&at_work, __ATOMIC_RELAXED) < HUBS)
		sched_yield();
	rt = gev_embed_v1();
	fork_often(); /* without a hub, then with one */
	must(gev_sleep(0) == 0);
	fork_often();
	__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
	for (int i = 0; i < HUBS; i++)
		must(pthread_join(t[i], NULL) == 0);
	return 0;
}
