/* upper_500: an upper-case server and 500 client threads in one process.
 *
 * Plain POSIX; includes no header of this project. One thread accepts, one thread serves each connection, one thread is
 * each client. All clients wait for each other between their two messages, so all 500 connections are open at once:
 * natively that is 1002 OS threads.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 500, SIZE = 32 };

static struct sockaddr_in address;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_here = PTHREAD_COND_INITIALIZER;
static int here, right, wrong, threads;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, arg) != 0)
		die("pthread_create");
	return thread;
}

static int os_threads(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	int n = 0;

	while (status && fgets(line, sizeof(line), status)) {
		if (strncmp(line, "Threads:", 8) == 0)
			n = atoi(line + 8);
	}
	if (status)
		fclose(status);
	return n;
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char text[SIZE];
	ssize_t n;

	while ((n = recv(fd, text, sizeof(text), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			text[i] = (char)toupper((unsigned char)text[i]);
		if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
			die("send");
	}
	close(fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	static pthread_t servers[CLIENTS];
	int listener = (int)(intptr_t)arg;

	for (int i = 0; i < CLIENTS; i++) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			die("accept");
		servers[i] = start(serve, (void *)(intptr_t)fd);
	}
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(servers[i], NULL);
	return NULL;
}

/* Whether the answer is the question in upper case. */
static int ask(int fd, int client, const char *what)
{
	char question[SIZE] = "", answer[SIZE] = "", expected[SIZE] = "";

	snprintf(question, sizeof(question), "client %03d says %s", client, what);
	for (int i = 0; i < SIZE; i++)
		expected[i] = (char)toupper((unsigned char)question[i]);
	if (send(fd, question, SIZE, MSG_NOSIGNAL) != SIZE || recv(fd, answer, SIZE, MSG_WAITALL) != SIZE)
		die("ask");
	return memcmp(answer, expected, SIZE) == 0;
}

static void wait_for_all(void)
{
	pthread_mutex_lock(&lock);
	if (++here == CLIENTS) {
		threads = os_threads();
		pthread_cond_broadcast(&all_here);
	}
	while (here < CLIENTS)
		pthread_cond_wait(&all_here, &lock);
	pthread_mutex_unlock(&lock);
}

static void *be_client(void *arg)
{
	int client = (int)(intptr_t)arg;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int good;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect");
	good = ask(fd, client, "hello");
	wait_for_all();
	good += ask(fd, client, "goodbye");
	close(fd);
	pthread_mutex_lock(&lock);
	right += good;
	wrong += 2 - good;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static int listen_anywhere(void)
{
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, CLIENTS) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		die("listen");
	return fd;
}

int main(void)
{
	pthread_t acceptor, clients[CLIENTS];
	struct rlimit limit;
	int listener;

	getrlimit(RLIMIT_NOFILE, &limit); /* two descriptors a connection, and the usual soft limit is 1024 */
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);

	listener = listen_anywhere();
	acceptor = start(accept_all, (void *)(intptr_t)listener);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = start(be_client, (void *)(intptr_t)i);
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(clients[i], NULL);
	pthread_join(acceptor, NULL);
	close(listener);
	printf("%d clients at once: %d right answers, %d wrong\n", CLIENTS, right, wrong);
	printf("OS threads: %d\n", threads);
	return wrong != 0;
}
