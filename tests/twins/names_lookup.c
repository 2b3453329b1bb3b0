/* Threads that look names up, while another gets on and lets them. */
#include <netdb.h>

#include "twin.h"

extern int names_gate[2];

static sem_t asks;

static void *by_name(void *arg)
{
	static __thread int mine = 7;
	struct addrinfo *list = NULL;
	sem_post(&asks);
	errno = EXFULL;
	int r = getaddrinfo(arg, "80", NULL, &list);
	int error = errno;
	printf("%s: %d %s, protocol %d\n", (const char *)arg, r, r == EAI_SYSTEM ? strerrorname_np(error) : "",
	       list ? list->ai_protocol : 0);
	check(mine == 7);
	return NULL;
}

static void *by_address(void *arg)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char host[64];
	sem_post(&asks);
	check(getnameinfo((struct sockaddr *)&address, sizeof address, host, sizeof host, NULL, 0, 0) == 0);
	puts(host);
	return NULL;
}

static void look_up(void *(*how)(void *), void *what)
{
	pthread_t t = spawn(how, what);
	sem_wait(&asks);
	sched_yield();
	check(write(names_gate[1], "x", 1) == 1);
	join(t);
}

int main(void)
{
	check(pipe(names_gate) == 0 && sem_init(&asks, 0, 0) == 0);
	look_up(by_name, "some.example");
	look_up(by_name, "nobody.example");
	look_up(by_name, "broken.example");
	look_up(by_address, NULL);
	/* Several at once, more than there may be threads for it. */
	pthread_t crowd[20];
	char names[20][32];
	for (int i = 0; i < 20; i++) {
		snprintf(names[i], sizeof names[i], "%s", "some.example");
		crowd[i] = spawn(by_name, names[i]);
	}
	for (int i = 0; i < 20; i++)
		sem_wait(&asks);
	for (int i = 0; i < 20; i++)
		check(write(names_gate[1], "x", 1) == 1);
	for (int i = 0; i < 20; i++)
		join(crowd[i]);
	by_name("127.0.0.1");
	struct sockaddr_in address = {.sin_family = AF_INET};
	char host[64];
	check(getnameinfo((struct sockaddr *)&address, sizeof address, host, sizeof host, NULL, 0, NI_NUMERICHOST) ==
	      0);
	puts(host);
	return 0;
}
