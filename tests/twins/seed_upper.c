/* The second seed: an upper-case server, a thread per connection, and its 500 client threads, in one program. */
#include <ctype.h>
#include <sys/resource.h>

#include "twin.h"

enum { CLIENTS = 500, ROUNDS = 5 };

static struct sockaddr_in address;
static int listening;
static sem_t served, ready, go;

static void *serve(void *arg)
{
	char line[256];
	int fd = (int)(long)arg;
	ssize_t n;
	while ((n = read(fd, line, sizeof line)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			line[i] = (char)toupper((unsigned char)line[i]);
		write_all(fd, line, (size_t)n);
	}
	close(fd);
	sem_post(&served);
	return NULL;
}

static void *accept_all(void *arg)
{
	for (int i = 0; i < CLIENTS; i++) {
		pthread_t t;
		int fd = accept(listening, NULL, NULL);
		check(fd >= 0);
		check(pthread_create(&t, arg, serve, (void *)(long)fd) == 0 && pthread_detach(t) == 0);
	}
	return NULL;
}

static void *ask(void *arg)
{
	char question[64], answer[64];
	int fd = tcp_dial(&address);
	sem_post(&ready);
	wait_for(&go);
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = (size_t)snprintf(question, sizeof question, "client %ld asks %d\n", (long)arg, i);
		write_all(fd, question, n);
		read_all(fd, answer, n);
		for (size_t k = 0; k < n; k++)
			check(answer[k] == toupper((unsigned char)question[k]));
	}
	close(fd);
	return (void *)(long)ROUNDS;
}

int main(void)
{
	static pthread_t t[CLIENTS];
	pthread_attr_t attr;
	struct rlimit limit;
	long answers = 0;
	check(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	check(pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, 256 * 1024) == 0);
	sem_init(&served, 0, 0);
	sem_init(&ready, 0, 0);
	sem_init(&go, 0, 0);
	listening = tcp_listener(&address);
	pthread_t server = spawn(accept_all, &attr);
	for (long i = 0; i < CLIENTS; i++)
		check(pthread_create(&t[i], &attr, ask, (void *)i) == 0);
	for (int i = 0; i < CLIENTS; i++)
		wait_for(&ready);
	report_threads();
	for (int i = 0; i < CLIENTS; i++)
		sem_post(&go);
	for (int i = 0; i < CLIENTS; i++)
		answers += (long)join(t[i]);
	join(server);
	for (int i = 0; i < CLIENTS; i++)
		wait_for(&served);
	printf("%ld right answers\n", answers);
	return 0;
}
