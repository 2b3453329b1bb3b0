/* A million greenlets asleep, guarded: they fit into 6 GiB, and made, killed and joined again and again they need no more of anything: resident memory,
 * page tables, mappings, descriptors.
 *
 * Usage: million [GREENLETS [ROUNDS]] (1000000, 5). Each has run and sleeps two frames deep, on a default stack with its guard. One JSON object a
 * round; memory is VmRSS + VmPTE (proc_pid_status(5)). A machine with less memory gets as many as it bears, and is told so. */
#include <dirent.h>
#include <errno.h>
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

static long count_lines(const char *path)
{
	long n = 0;
	FILE *f = fopen(path, "r");
	for (int c; f && (c = getc(f)) != EOF;)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

static long count_entries(const char *path)
{
	long n = 0;
	DIR *d = opendir(path);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

struct needs {
	long rss, pte; /* KiB */
	long mappings;
	long descriptors;
};

static struct needs needs(void)
{
	return (struct needs){
		.rss = kib("/proc/self/status", "VmRSS"),
		.pte = kib("/proc/self/status", "VmPTE"),
		.mappings = count_lines("/proc/self/maps"),
		.descriptors = count_entries("/proc/self/fd"),
	};
}

/* Two in a hundred: whose pages the kernel has taken back or given in bigger ones is its business. */
static int grew(const char *when, const struct needs *now, const struct needs *first)
{
	enum { SOME_KIB = 1024 };
	int grown = now->rss > first->rss + first->rss / 50 + SOME_KIB ||
		    now->pte > first->pte + first->pte / 50 + SOME_KIB || now->mappings > first->mappings ||
		    now->descriptors > first->descriptors;
	if (grown)
		fprintf(stderr,
			"million: %s %ld KiB, page tables %ld KiB, %ld mappings, %ld descriptors; at first %ld, %ld, %ld, %ld\n",
			when, now->rss, now->pte, now->mappings, now->descriptors, first->rss, first->pte,
			first->mappings, first->descriptors);
	return grown;
}

static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static __attribute__((noinline)) int sleep_below(double seconds)
{
	awake++;
	int r = gev_sleep(seconds);
	awake--;
	depth++; /* or the call would be this frame's last, and no frame */
	return r;
}

static void *run(void *arg)
{
	int r = sleep_below(*(double *)arg);
	depth++;
	return r == -1 && errno == ECANCELED ? arg : NULL;
}

/* Until all sleep: they began in the order of their birth, and the last of them is the last to run. */
static int all_asleep(long n)
{
	double until = gev_now() + 600;
	while (awake < n && gev_now() < until)
		gev_yield();
	return awake == n;
}

static int fail(const char *what, long of, long n)
{
	fprintf(stderr, "million: %s, at %ld of %ld\n", what, of, n);
	return 1;
}

static int one_round(struct gev_greenlet **g, long n, long round)
{
	static struct needs asleep_first, left_first;
	static double days = 1e6;
	double cpu = cpu_seconds();
	for (long i = 0; i < n; i++) {
		g[i] = gev_spawn(run, &days);
		if (g[i] == NULL)
			return fail("no more fit", i, n);
	}
	if (!all_asleep(n))
		return fail("some do not sleep", awake, n);
	struct needs asleep = needs();
	if (gev_killall(g, (size_t)n, GEV_FOREVER))
		return fail("killall", 0, n);
	for (long i = 0; i < n; i++) {
		void *value = NULL;
		if (gev_join(g[i], GEV_FOREVER, &value) || value != &days)
			return fail("join", i, n);
		gev_release(g[i]);
	}
	struct needs left = needs();
	if (round == 1) {
		asleep_first = asleep;
		left_first = left;
	}
	long memory = asleep.rss + asleep.pte;
	printf("{\"what\": \"greenlets asleep\", \"round\": %ld, \"greenlets\": %ld, \"memory_kib\": %ld, \"rss_kib\": %ld, "
	       "\"page_tables_kib\": %ld, \"bytes_each\": %.0f, \"mappings\": %ld, \"descriptors\": %ld, \"left_kib\": %ld, "
	       "\"cpu_us_each\": %.2f}\n",
	       round, n, memory, asleep.rss, asleep.pte, (double)memory * 1024 / (double)n, asleep.mappings,
	       asleep.descriptors, left.rss + left.pte, (cpu_seconds() - cpu) * 1e6 / (double)n);
	fflush(stdout);
	if ((double)memory * 1024 > (double)n * MOST_BYTES_EACH)
		return fail("too much memory", memory, n);
	return grew("asleep", &asleep, &asleep_first) || grew("left", &left, &left_first);
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
	long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
	/* Of what is free, about two thirds. */
	long bearable = kib("/proc/meminfo", "MemAvailable") / 8;
	if (n > bearable) {
		printf("million: this machine has memory for %ld, not for %ld\n", bearable, n);
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
	int failed = 0;
	for (long round = 1; round <= rounds && !failed; round++)
		failed = one_round(g, n, round);
	free(g);
	return failed;
}
