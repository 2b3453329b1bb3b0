/* top.c: `gev top`: the greenlets of a process, again and again. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/top/screen.h"
#include "tools/top/words.h"

static const char *const orders[ORDERS] = {"id", "busy", "switches", "waited", "stack", "name"};

static void name_of(pid_t pid, char *name, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	FILE *f = fopen(path, "re");
	if (!f || !fgets(name, (int)size, f))
		snprintf(name, size, "?");
	name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void print(const struct picture *p, pid_t pid, const char *program)
{
	char line[512];
	words_of_process(p, pid, program, line, sizeof line);
	puts(line);
	words_of_counts(p, line, sizeof line);
	puts(line);
	puts(words_of_heading());
	for (size_t i = 0; i < p->n; i++) {
		words_of_row(&p->rows[i], line, sizeof line);
		puts(line);
	}
	fflush(stdout);
}

static void rest(double seconds)
{
	struct timespec t = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
	nanosleep(&t, NULL);
}

static int batch(pid_t pid, const char *program, double seconds, long times, enum order order, char *why, size_t size)
{
	struct picture before = {0};
	for (long i = 0; i < times; i++) {
		struct picture p;
		if (i > 0) {
			rest(seconds);
			puts("");
		}
		if (picture_take(&p, pid, i > 0 ? &before : NULL, why, size) != 0) {
			picture_free(&before);
			return -1;
		}
		picture_sort(&p, order);
		print(&p, pid, program);
		picture_sort(&p, BY_ID);
		picture_free(&before);
		before = p;
	}
	picture_free(&before);
	return 0;
}

static int order_of(const char *word)
{
	for (int i = 0; i < ORDERS; i++)
		if (strcmp(orders[i], word) == 0)
			return i;
	return -1;
}

static bool whole(const char *text, long most, long *value)
{
	char *end;
	errno = 0;
	*value = strtol(text, &end, 10);
	return !errno && end != text && !*end && *value > 0 && *value <= most;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{"batch", no_argument, NULL, 'b'},       {"delay", required_argument, NULL, 'd'},
		{"times", required_argument, NULL, 'n'}, {"sort", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
	};
	bool lines = false;
	double seconds = 1;
	long times = LONG_MAX, pid;
	int order = BY_BUSY;
	char *end;
	for (int c; (c = getopt_long(argc, argv, "hbd:n:s:", options, NULL)) != -1;) {
		switch (c) {
		case 'h':
			return print_help("top");
		case 'b':
			lines = true;
			break;
		case 'd':
			seconds = strtod(optarg, &end);
			if (end == optarg || *end || !(seconds >= 0.1 && seconds <= 3600))
				return misused("top", "--delay=%s: from 0.1 to 3600 seconds", optarg);
			break;
		case 'n':
			if (!whole(optarg, LONG_MAX, &times))
				return misused("top", "--times=%s: a number", optarg);
			break;
		case 's':
			order = order_of(optarg);
			if (order < 0)
				return misused("top", "--sort=%s: by id, busy, switches, waited, stack or name",
					       optarg);
			break;
		default:
			return EXIT_GEV;
		}
	}
	if (argc - optind != 1 || !whole(argv[optind], INT_MAX, &pid))
		return misused("top", "it wants the number of a process");
	char program[64], why[512];
	name_of((pid_t)pid, program, sizeof program);
	int r = lines ? batch((pid_t)pid, program, seconds, times, (enum order)order, why, sizeof why)
		      : screen_run((pid_t)pid, program, seconds, (enum order)order, why, sizeof why);
	if (r == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "gev: top: %s\n", why);
	return EXIT_FAILURE;
}

const struct command command_top = {"top", "a live screen of a process's greenlets", run};
