/* eat_play: two threads, one eats for 3 seconds, the other plays for 2. Together they take 3.
 *
 * Plain POSIX; includes no header of this project. Natively the kernel switches between three threads; preloaded there
 * is one, and sleep() lets the other go on.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *eat(void *arg)
{
	(void)arg;
	for (int second = 1; second <= 3; second++) {
		printf("eating, second %d\n", second);
		sleep(1);
	}
	printf("not hungry any more\n");
	return NULL;
}

static void *play(void *arg)
{
	(void)arg;
	for (int second = 1; second <= 2; second++) {
		printf("playing, second %d\n", second);
		sleep(1);
	}
	printf("tired of playing\n");
	return NULL;
}

/* How many threads the kernel knows of in this process. */
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

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
	double begin = now();
	pthread_t eater, player;
	int threads;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (pthread_create(&eater, NULL, eat, NULL) != 0 || pthread_create(&player, NULL, play, NULL) != 0) {
		fprintf(stderr, "eat_play: no thread could be made\n");
		return 1;
	}
	threads = os_threads();
	pthread_join(eater, NULL);
	pthread_join(player, NULL);
	printf("5 seconds of eating and playing took %.2f s\n", now() - begin);
	printf("OS threads: %d\n", threads);
	return 0;
}
