/* watched: one operation of threads N times, for counting instructions: watched yield|echo|spawn N.
 *
 * yield: two threads give way to each other, N times each. echo: N messages of 8 bytes there and back over a socket pair, a thread at
 * each end. spawn: N threads made and joined. Prints nothing; a wrong answer ends it with status 1. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static long times;
static int pair[2];

static void must(int ok)
{
	if (!ok)
		exit(1);
}

static void *yield(void *arg)
{
	for (long i = 0; i < times; i++)
		sched_yield();
	return arg;
}

static void *echo(void *arg)
{
	char message[8];
	for (long i = 0; i < times; i++) {
		must(read(pair[1], message, sizeof message) == sizeof message);
		must(write(pair[1], message, sizeof message) == sizeof message);
	}
	return arg;
}

static void *nothing(void *arg)
{
	return arg;
}

static pthread_t thread(void *(*entry)(void *))
{
	pthread_t id;
	must(pthread_create(&id, NULL, entry, NULL) == 0);
	return id;
}

static void talk(void)
{
	char message[8] = "message";
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	pthread_t other = thread(echo);
	for (long i = 0; i < times; i++) {
		must(write(pair[0], message, sizeof message) == sizeof message);
		must(read(pair[0], message, sizeof message) == sizeof message);
	}
	pthread_join(other, NULL);
}

int main(int argc, char **argv)
{
	must(argc == 3);
	times = atol(argv[2]);
	if (strcmp(argv[1], "yield") == 0) {
		pthread_t a = thread(yield), b = thread(yield);
		pthread_join(a, NULL);
		pthread_join(b, NULL);
	} else if (strcmp(argv[1], "echo") == 0) {
		talk();
	} else {
		for (long i = 0; i < times; i++)
			pthread_join(thread(nothing), NULL);
	}
	return 0;
}
