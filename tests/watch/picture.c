/* A known picture of threads: picture.c GROUP [dropped], where GROUP says how many of each kind there are. Prints "ready" when all stand where they will
 * stay: each thread has had its first turn before main has its second. Ends when its standard input does. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t quiet_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t the_condition = PTHREAD_COND_INITIALIZER;
pthread_rwlock_t the_rwlock = PTHREAD_RWLOCK_INITIALIZER;
pthread_barrier_t the_barrier;
sem_t *the_semaphore; /* no object's: it has no name */

static int pair[2], listener;
enum { MOST = 100 };
static pthread_t sleepers[MOST];

__attribute__((noinline)) static void *reader(void *arg)
{
	char byte;
	return read(pair[0], &byte, 1) == 1 ? arg : NULL;
}

static void *acceptor(void *arg)
{
	return accept(listener, NULL, NULL) < 0 ? NULL : arg;
}

static void *sleeper(void *arg)
{
	sleep(1000);
	return arg;
}

static void *locker(void *arg)
{
	pthread_mutex_lock(&the_lock);
	pthread_mutex_unlock(&the_lock);
	return arg;
}

static void *waiter(void *arg)
{
	pthread_mutex_lock(&quiet_lock);
	pthread_cond_wait(&the_condition, &quiet_lock);
	pthread_mutex_unlock(&quiet_lock);
	return arg;
}

static void *poster(void *arg)
{
	sem_wait(the_semaphore);
	return arg;
}

static void *sharer(void *arg)
{
	pthread_rwlock_rdlock(&the_rwlock);
	return arg;
}

static void *writer(void *arg)
{
	pthread_rwlock_wrlock(&the_rwlock);
	return arg;
}

static void *joiner(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	return arg;
}

static void *meeter(void *arg)
{
	pthread_barrier_wait(&the_barrier);
	return arg;
}

static void *poller(void *arg)
{
	struct pollfd both[] = {{.fd = listener, .events = POLLIN}, {.fd = pair[0], .events = POLLIN}};
	return poll(both, 2, -1) < 0 ? NULL : arg;
}

static const struct {
	const char *name;
	void *(*entry)(void *);
} kinds[] = {
	{"sleeper", sleeper}, {"reader", reader}, {"acceptor", acceptor}, {"locker", locker},
	{"waiter", waiter},   {"poster", poster}, {"sharer", sharer},     {"writer", writer},
	{"joiner", joiner},   {"meeter", meeter}, {"poller", poller},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* As a daemon that root has started: its own files in /proc are root's afterwards (proc(5)). */
static int give_up_rights(void)
{
	enum { NOBODY = 65534 };
	return geteuid() == 0 && setuid(NOBODY) ? 1 : prctl(PR_SET_DUMPABLE, 0);
}

int main(int argc, char **argv)
{
	int each = argc > 1 ? atoi(argv[1]) : 1;
	if (argc > 2 && give_up_rights())
		return 1;
	if (each < 1 || each > MOST)
		return 1;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || bind(listener, (struct sockaddr *)&address, sizeof address) ||
	    listen(listener, 5))
		return 1;
	socklen_t size = sizeof address;
	getsockname(listener, (struct sockaddr *)&address, &size);
	the_semaphore = malloc(sizeof *the_semaphore);
	if (the_semaphore == NULL || sem_init(the_semaphore, 0, 0))
		return 1;
	pthread_barrier_init(&the_barrier, NULL, (unsigned)each + 1);
	pthread_mutex_lock(&the_lock);
	pthread_rwlock_wrlock(&the_rwlock);
	for (int k = 0; k < KINDS; k++) {
		for (int i = 0; i < each; i++) {
			pthread_t id;
			if (pthread_create(&id, NULL, kinds[k].entry, &sleepers[i]))
				return 1;
			if (k == 0)
				sleepers[i] = id;
			if (k == 0 && i == 0)
				pthread_setname_np(id, "first");
		}
	}
	/* Each has its first turn, and then waits. */
	usleep(1);
	printf("ready %d %d\n", getpid(), ntohs(address.sin_port));
	fflush(stdout);
	char byte;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
