/* Several threads on one socket: two readers and two writers in both directions at once, and each message to one
 * reader. */
#include "twin.h"

enum { MESSAGES = 2000, READERS = 2, SIDES = 2 };

static int stream[2], packets[2];
static sem_t here;

static void *read_packets(void *arg)
{
	long got = 0;
	char byte;
	sem_post(&here);
	while (recv(packets[0], &byte, 1, 0) == 1 && byte != 'q')
		got++;
	return (void *)got;
}

static void *pump_out(void *arg)
{
	unsigned value;
	int fd = stream[(long)arg];
	sem_post(&here);
	for (value = 0; value < MESSAGES * 10; value++)
		check(send(fd, &value, sizeof value, 0) == sizeof value);
	shutdown(fd, SHUT_WR);
	return NULL;
}

static void *pump_in(void *arg)
{
	unsigned value, expected = 0;
	int fd = stream[(long)arg];
	sem_post(&here);
	while (recv(fd, &value, sizeof value, MSG_WAITALL) == sizeof value)
		check(value == expected++);
	return (void *)(long)expected;
}

int main(void)
{
	pthread_t r[READERS], in[SIDES], out[SIDES];
	long got = 0;
	sem_init(&here, 0, 0);
	check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0);
	for (int i = 0; i < READERS; i++)
		r[i] = spawn(read_packets, NULL);
	for (int i = 0; i < READERS; i++)
		wait_for(&here);
	report_threads();
	for (int i = 0; i < MESSAGES; i++)
		check(send(packets[1], "m", 1, 0) == 1);
	for (int i = 0; i < READERS; i++)
		check(send(packets[1], "q", 1, 0) == 1);
	for (int i = 0; i < READERS; i++)
		got += (long)join(r[i]);
	printf("%ld messages by both readers together\n", got);

	tcp_pair(stream);
	for (long i = 0; i < SIDES; i++) {
		in[i] = spawn(pump_in, (void *)i);
		out[i] = spawn(pump_out, (void *)i);
	}
	for (int i = 0; i < SIDES; i++) {
		join(out[i]);
		printf("side %d got %ld\n", i, (long)join(in[i]));
	}
	return 0;
}
