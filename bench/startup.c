/* startup: the time from spawn to exit of a program, natively and with a library preloaded, turn and turn about.
 *
 * Usage: startup LIBRARY RUNS PROGRAM [ARGUMENT...]. Prints one JSON object with medians and minima in microseconds.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double run_once(char **argv, char **environment)
{
	double begin = now_us();
	int status;
	pid_t pid;

	if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environment) != 0 || waitpid(pid, &status, 0) != pid ||
	    !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "startup: %s did not run or did not end with 0\n", argv[0]);
		exit(1);
	}
	return now_us() - begin;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	char *native[] = {"PATH=/usr/bin:/bin", NULL};
	char *preloaded[] = {"PATH=/usr/bin:/bin", NULL, NULL};
	double *times[2];
	int runs;

	if (argc < 4 || (runs = atoi(argv[2])) < 1) {
		fprintf(stderr, "usage: startup LIBRARY RUNS PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	times[0] = calloc((size_t)runs, sizeof(double));
	times[1] = calloc((size_t)runs, sizeof(double));
	if (!times[0] || !times[1] || asprintf(&preloaded[1], "LD_PRELOAD=%s", argv[1]) < 0)
		exit(1);
	run_once(argv + 3, native);
	run_once(argv + 3, preloaded);
	for (int i = 0; i < runs; i++) {
		times[0][i] = run_once(argv + 3, native);
		times[1][i] = run_once(argv + 3, preloaded);
	}
	for (int i = 0; i < 2; i++)
		qsort(times[i], (size_t)runs, sizeof(double), ascending);
	printf("{\"runs\": %d, \"native_us\": %.1f, \"native_least_us\": %.1f, \"preloaded_us\": %.1f, "
	       "\"preloaded_least_us\": %.1f}\n",
	       runs, times[0][runs / 2], times[0][0], times[1][runs / 2], times[1][0]);
	return 0;
}
