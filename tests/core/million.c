/* A million greenlets asleep, guarded: they fit into 6 GiB, and made and joined again they need no more.
 *
 * Usage: million [GREENLETS [ROUNDS]] (1000000, 2). Each has run and sleeps two frames deep, on a default stack with its guard. One JSON object a
 * round; memory is VmRSS + VmPTE (proc_pid_status(5)). A machine with less memory gets as many as it bears, and is told so. */
#include <gev/gev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static long awake;
static volatile int depth;

enum { MOST_BYTES_EACH = 6442 }; /* 6 GiB for a million */

static long kib(const char *path, const char *key)
{
	char line[256];
	long value = 0;
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtol(line + strlen(key) + 1, NULL, 10); /* "Key:  123 kB" */
	if (f)
		fclose(f);
	return value;
}

static long memory(void)
{
	return kib("/proc/self/status", "VmRSS") + kib("/proc/self/status", "VmPTE");
}

static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static __attribute__((noinline)) void sleep_below(double seconds)
{
	awake++;
	gev_sleep(seconds);
	awake--;
	depth++; /* or the call would be this frame's last, and no frame */
}

static void *run(void *arg)
{
	sleep_below(*(double *)arg);
	depth++;
	return arg;
}

/* Until all sleep: they began in the order of their birth, and the last of them is the last to run. */
static int all_asleep(long n)
{
	double until = gev_now() + 600;
	while (awake < n && gev_now() < until)
		gev_yield();
	return awake == n;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
	long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 2;
	long bearable = kib("/proc/meminfo", "MemAvailable") / 8;
	if (n > bearable) {
		printf("memory for %ld, not %ld\n", bearable, n);
		n = bearable;
	}
	if (n < 1)
		return 1;
	static struct gev_greenlet **g; /* to the end */
	g = calloc((size_t)n, sizeof(*g));
	if (g == NULL)
		return 1;
	memset(g, 1, (size_t)n * sizeof(*g)); /* resident from the start: it is not theirs */
	gev_sleep(0);
	/* Long enough that the first is still asleep when the last has fallen asleep. */
	double seconds = 5 + (double)n * 20e-6;
	long first = 0;
	for (long round = 1; round <= rounds; round++) {
		long before = memory();
		double cpu = cpu_seconds();
		for (long i = 0; i < n; i++) {
			g[i] = gev_spawn(run, &seconds);
			if (g[i] == NULL) {
				fprintf(stderr, "million: %ld fit, and no more\n", i);
				return 1;
			}
		}
		if (!all_asleep(n)) {
			fprintf(stderr, "million: %ld of %ld sleep\n", awake, n);
			return 1;
		}
		long asleep = memory();
		for (long i = 0; i < n; i++) {
			if (gev_join(g[i], GEV_FOREVER, NULL)) {
				perror("million: join");
				return 1;
			}
			gev_release(g[i]);
		}
		printf("{\"what\": \"greenlets asleep\", \"round\": %ld, \"greenlets\": %ld, \"memory_kib\": %ld, "
		       "\"bytes_each\": %.0f, \"left_kib\": %ld, \"cpu_us_each\": %.2f}\n",
		       round, n, asleep, (double)(asleep - (round == 1 ? before : 0)) * 1024 / (double)n, memory(),
		       (cpu_seconds() - cpu) * 1e6 / (double)n);
		fflush(stdout);
		if ((double)asleep * 1024 > (double)n * MOST_BYTES_EACH) {
			fprintf(stderr, "million: %ld KiB\n", asleep);
			return 1;
		}
		if (round == 1)
			first = asleep;
		else if (asleep > first + first / 50) {
			fprintf(stderr, "million: %ld KiB in round %ld, %ld in the first\n", asleep, round, first);
			return 1;
		}
	}
	free(g);
	return 0;
}
