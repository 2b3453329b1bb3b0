/* A TCP echo server, a thread per connection, and 20 client threads in the same program. */
#include "twin.h"

enum { CLIENTS = 20, ROUNDS = 50 };

static struct sockaddr_in address;
static int listening;
static sem_t connected;

static void *serve(void *arg)
{
	char buffer[512];
	int fd = (int)(long)arg;
	ssize_t n;
	sem_post(&connected);
	while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0)
		check(send(fd, buffer, (size_t)n, 0) == n);
	check(n == 0);
	close(fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	pthread_t t[CLIENTS];
	for (int i = 0; i < CLIENTS; i++) {
		int fd = accept(listening, NULL, NULL);
		check(fd >= 0);
		t[i] = spawn(serve, (void *)(long)fd);
	}
	for (int i = 0; i < CLIENTS; i++)
		wait_for(&connected);
	report_threads();
	for (int i = 0; i < CLIENTS; i++)
		join(t[i]);
	return arg;
}

static void *talk(void *arg)
{
	char out[64], in[64];
	int fd = tcp_dial(&address);
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = (size_t)snprintf(out, sizeof out, "client %ld says %d", (long)arg, i);
		check(send(fd, out, n, 0) == (ssize_t)n);
		for (size_t got = 0; got < n;) {
			ssize_t r = recv(fd, in + got, n - got, 0);
			check(r > 0);
			got += (size_t)r;
		}
		check(!memcmp(in, out, n));
	}
	close(fd);
	return (void *)(long)ROUNDS;
}

int main(void)
{
	pthread_t t[CLIENTS];
	long echoes = 0;
	sem_init(&connected, 0, 0);
	listening = tcp_listener(&address);
	pthread_t server = spawn(accept_all, NULL);
	for (long i = 0; i < CLIENTS; i++)
		t[i] = spawn(talk, (void *)i);
	for (int i = 0; i < CLIENTS; i++)
		echoes += (long)join(t[i]);
	join(server);
	printf("%ld echoes\n", echoes);
	return 0;
}
