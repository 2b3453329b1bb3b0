/* What is waited for outside of the program's own objects: outside.c waits|idle|end.
 *
 * waits: a name, offloaded work, work for which no thread is free (GEV_OFFLOAD_THREADS=2), a child. Prints "ready", and ends when its standard input does.
 * idle:  all wait on one another, beside a thread of the offload that has nothing to do. Hangs.
 * end:   the same, natively linked: prints "ready" once main has been told. */
#include <gev/gev.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In place of libc's: a name server that does not answer. */
__attribute__((visibility("default"))) int getaddrinfo(const char *host, const char *service,
						       const struct addrinfo *hints, struct addrinfo **list)
{
	pause();
	return EAI_AGAIN;
}

static void *patient(void *arg)
{
	if (arg)
		pause();
	return NULL;
}

static void *dialer(void *arg)
{
	gev_dial("no.such.host.example:80", GEV_FOREVER);
	return arg;
}

static void *worker(void *arg)
{
	gev_offload(patient, &errno, GEV_FOREVER, NULL);
	return arg;
}

static void *late(void *arg)
{
	return worker(arg);
}

static pid_t child;

static void *parent(void *arg)
{
	int fd = (int)syscall(SYS_pidfd_open, child, 0);
	gev_fd_wait(fd, GEV_READABLE, GEV_FOREVER);
	return arg;
}

static int waits(void)
{
	child = fork();
	if (child == 0) {
		pause();
		return 0;
	}
	gev_spawn(dialer, NULL);
	gev_spawn(worker, NULL);
	gev_yield();
	gev_spawn(late, NULL);
	gev_spawn(parent, NULL);
	gev_yield();
	printf("ready %d\n", child);
	fflush(stdout);
	char byte;
	gev_read(STDIN_FILENO, &byte, 1, GEV_FOREVER);
	kill(child, SIGKILL);
	_exit(0); /* what is offloaded never ends */
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void *waiter(void *arg)
{
	pthread_mutex_lock(&lock);
	pthread_cond_wait(&condition, &lock);
	return arg;
}

static int idle(void)
{
	pthread_t id;
	gev_offload(patient, NULL, GEV_FOREVER, NULL);
	printf("ready\n");
	fflush(stdout);
	return pthread_create(&id, NULL, waiter, NULL) || pthread_join(id, NULL);
}

static struct gev_greenlet *one, *other;

static void *joiner(void *arg)
{
	gev_join(arg ? one : other, GEV_FOREVER, NULL);
	return NULL;
}

static int end(void)
{
	one = gev_spawn(joiner, NULL);
	other = gev_spawn(joiner, &one);
	int r = gev_join(one, GEV_FOREVER, NULL);
	printf("ready %d\n", r < 0 ? errno == EDEADLK : -1);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "waits";
	return strcmp(what, "idle") == 0 ? idle() : strcmp(what, "end") == 0 ? end() : waits();
}
