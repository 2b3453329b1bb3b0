/* accept and accept4: parked until somebody comes, flags, addresses, errors; several that wait on one listener; and
 * the listener never looks non-blocking. */
#include "twin.h"

enum { ACCEPTORS = 10 };

static struct sockaddr_in address;
static int listening;
static sem_t here;

static void *accept_one(void *arg)
{
	struct sockaddr_in peer;
	socklen_t size = sizeof peer;
	sem_post(&here);
	int fd = arg ? accept4(listening, (struct sockaddr *)&peer, &size, (int)(long)arg)
		     : accept(listening, (struct sockaddr *)&peer, &size);
	check(fd >= 0 && size == sizeof peer && peer.sin_family == AF_INET);
	check(peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && peer.sin_port != 0);
	return (void *)(long)fd;
}

static void flags_of(const char *what, int flags)
{
	pthread_t t = spawn(accept_one, (void *)(long)flags);
	wait_for(&here);
	printf("%s: listener looks non-blocking while parked: %d", what, !!(fcntl(listening, F_GETFL) & O_NONBLOCK));
	int client = tcp_dial(&address), fd = (int)(long)join(t);
	printf(", accepted non-blocking %d, close-on-exec %d\n", !!(fcntl(fd, F_GETFL) & O_NONBLOCK),
	       !!(fcntl(fd, F_GETFD) & FD_CLOEXEC));
	close(client);
	close(fd);
}

int main(void)
{
	pthread_t t[ACCEPTORS];
	int client[ACCEPTORS];
	sem_init(&here, 0, 0);
	listening = tcp_listener(&address);
	flags_of("accept", 0);
	flags_of("SOCK_NONBLOCK", SOCK_NONBLOCK);
	flags_of("SOCK_CLOEXEC", SOCK_CLOEXEC);
	flags_of("both", SOCK_NONBLOCK | SOCK_CLOEXEC);
	printf("afterwards: %d\n", !!(fcntl(listening, F_GETFL) & O_NONBLOCK));

	for (int i = 0; i < ACCEPTORS; i++)
		t[i] = spawn(accept_one, NULL);
	for (int i = 0; i < ACCEPTORS; i++)
		wait_for(&here);
	report_threads();

	/* While the others are parked: a short place for the address, none, and wrong arguments. */
	struct short_address {
		unsigned short family;
	} little;
	socklen_t size = sizeof little;
	struct sockaddr_in own;
	int second = tcp_listener(&own), to_second = tcp_dial(&own);
	int fd = accept(second, (struct sockaddr *)&little, &size);
	printf("short place: %d, true size %d, family %d\n", fd >= 0, size == sizeof own, little.family == AF_INET);
	show(accept4(second, NULL, NULL, 0x40000000));
	show(accept(to_second, NULL, NULL));
	show(accept(-1, NULL, NULL));
	show(accept(0, NULL, NULL));
	show(fcntl(second, F_SETFL, O_NONBLOCK));
	show(accept(second, NULL, NULL));
	printf("%d\n", !!(fcntl(second, F_GETFL) & O_NONBLOCK));

	int got = 0;
	for (int i = 0; i < ACCEPTORS; i++)
		client[i] = tcp_dial(&address);
	for (int i = 0; i < ACCEPTORS; i++)
		got += (long)join(t[i]) >= 0;
	printf("accepted %d\n", got);
	for (int i = 0; i < ACCEPTORS; i++)
		close(client[i]);
	return 0;
}
