/* UDP: a receiver parks until a datagram comes; addresses, truncation, empty datagrams, a refusal on a connected
 * socket. */
#include "twin.h"

static int receiver;
static sem_t here, got;

static void *receive(void *arg)
{
	char buffer[16];
	struct sockaddr_in from;
	for (int i = 0; i < 4; i++) {
		socklen_t size = sizeof from;
		memset(&from, 0, sizeof from);
		sem_post(&here);
		ssize_t n = recvfrom(receiver, buffer, sizeof buffer, i == 2 ? MSG_TRUNC : 0, (struct sockaddr *)&from,
				     &size);
		printf("received %zd, from the sender: %d, size %d\n", n,
		       from.sin_port == ((struct sockaddr_in *)arg)->sin_port, size == sizeof from);
		sem_post(&got);
	}
	return NULL;
}

int main(void)
{
	struct sockaddr_in to, from, closed;
	char buffer[2000] = "hello";
	sem_init(&here, 0, 0);
	sem_init(&got, 0, 0);
	receiver = bound(SOCK_DGRAM, &to);
	int sender = bound(SOCK_DGRAM, &from);
	pthread_t t = spawn(receive, &from);
	static const size_t lengths[4] = {5, 0, 1000, 1000};
	for (int i = 0; i < 4; i++) {
		wait_for(&here);
		if (i == 0)
			report_threads();
		check(sendto(sender, buffer, lengths[i], 0, (struct sockaddr *)&to, sizeof to) == (ssize_t)lengths[i]);
		wait_for(&got);
	}
	join(t);

	show(connect(sender, (struct sockaddr *)&to, sizeof to));
	show(send(sender, buffer, 7, 0));
	show(write(sender, buffer, 8));
	show(sendto(sender, buffer, 9, 0, NULL, 0));
	show(recv(receiver, buffer, sizeof buffer, 0));
	show(read(receiver, buffer, sizeof buffer));
	show(recv(receiver, buffer, sizeof buffer, MSG_PEEK));
	show(recvfrom(receiver, buffer, sizeof buffer, 0, NULL, NULL));
	show(recv(receiver, buffer, sizeof buffer, MSG_DONTWAIT));
	static char huge[70000];
	show(send(sender, huge, sizeof huge, 0));
	show(sendto(receiver, buffer, 1, 0, NULL, 0));

	/* With a parked thread beside. */
	t = spawn(receive, &from);
	wait_for(&here);
	int nobody = bound(SOCK_DGRAM, &closed), lonely = socket(AF_INET, SOCK_DGRAM, 0);
	close(nobody);
	show(connect(lonely, (struct sockaddr *)&closed, sizeof closed));
	show(send(lonely, "x", 1, 0));
	show(recv(lonely, buffer, sizeof buffer, 0));
	for (int i = 0; i < 4; i++) {
		check(send(sender, "x", 1, 0) == 1);
		wait_for(&got);
	}
	join(t);
	return 0;
}
