/* gev_eat_play: eat_play once more, linked with libgev: gev_spawn for pthread_create, gev_sleep for sleep.
 *
 * The greenlets run in the order in which they become ready, so the output is the same every time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gev/gev.h>

static void *eat(void *arg)
{
	(void)arg;
	for (int second = 1; second <= 3; second++) {
		printf("eating, second %d\n", second);
		gev_sleep(1);
	}
	printf("not hungry any more\n");
	return NULL;
}

static void *play(void *arg)
{
	(void)arg;
	for (int second = 1; second <= 2; second++) {
		printf("playing, second %d\n", second);
		gev_sleep(1);
	}
	printf("tired of playing\n");
	return NULL;
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

int main(void)
{
	double begin = gev_now();
	struct gev_greenlet *eater = gev_spawn(eat, NULL);
	struct gev_greenlet *player = gev_spawn(play, NULL);
	int threads;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!eater || !player) {
		perror("gev_spawn");
		return 1;
	}
	threads = os_threads();
	gev_join(eater, GEV_FOREVER, NULL);
	gev_join(player, GEV_FOREVER, NULL);
	gev_release(eater);
	gev_release(player);
	printf("5 seconds of eating and playing took %.2f s\n", gev_now() - begin);
	printf("OS threads: %d\n", threads);
	return 0;
}
