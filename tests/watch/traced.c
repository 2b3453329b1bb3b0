/* Calls whose trace is known, word by word. Prints nothing. */
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int pair[2];

static void *worker(void *arg)
{
	char buffer[100];
	pthread_setname_np(pthread_self(), "worker");
	pthread_mutex_lock(&lock);
	recv(pair[0], buffer, sizeof buffer, 0);
	pthread_mutex_unlock(&lock);
	return arg;
}

static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
	return 7;
}

int main(void)
{
	pthread_t id;
	const struct timespec moment = {.tv_nsec = 1000000};
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || pthread_mutex_lock(&lock) ||
	    pthread_create(&id, NULL, worker, NULL))
		return 1;
	if (dl_iterate_phdr(look, NULL) != 7) /* while the worker is ready */
		return 1;
	nanosleep(&moment, NULL);
	pthread_mutex_unlock(&lock);
	if (send(pair[1], "hello", 5, 0) != 5)
		return 1;
	pthread_join(id, NULL);
	close(pair[0]);
	close(pair[0]);
	return pthread_mutex_trylock(&lock) ? 1 : 0;
}
