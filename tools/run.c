/* run.c: `gev run`: starts a program with libpatch.so in front, or says why that is not possible.
 *
 * The program takes this process's place: same process id, same signals, and its exit status is its own. Options become environment
 * variables, because that is all that reaches a program through exec. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/elf/fit.h"
#include "tools/elf/search.h"
#include "tools/gains.h"
#include "tools/options.h"
#include "tools/preload.h"

/* Each flag and the variable that it sets: to its argument, or without one to `plain`. The values are held to options.def. */
static const struct flag {
	struct option option;
	const char *variable;
	const char *plain;
	const char *unit; /* put behind the argument */
} flags[] = {
	{{"stats", no_argument, NULL, 0}, "GEV_STATS", "1", NULL},
	{{"monitor", optional_argument, NULL, 0}, "GEV_MAX_BLOCKING", NULL, "ms"},
	{{"no-monitor", no_argument, NULL, 0}, "GEV_MONITOR", "0", NULL},
	{{"trace", optional_argument, NULL, 0}, "GEV_TRACE", "all", NULL},
	{{"resolver", required_argument, NULL, 0}, "GEV_RESOLVER", NULL, NULL},
	{{"stack-size", required_argument, NULL, 0}, "GEV_THREAD_STACK_SIZE", NULL, NULL},
	{{"only", required_argument, NULL, 0}, "GEV_ONLY", NULL, NULL},
	{{"except", required_argument, NULL, 0}, "GEV_EXCEPT", NULL, NULL},
	{{"no-follow", no_argument, NULL, 0}, "GEV_FOLLOW", "0", NULL},
	{{"help", no_argument, NULL, 0}, NULL, NULL, NULL},
};

enum { N_FLAGS = sizeof flags / sizeof *flags };

/* 0; else gev's exit status. */
static int set(const struct flag *f, const char *argument)
{
	char value[256];
	const struct gev__option *row = option_find(f->variable);
	if (!row)
		return misused("run", "--%s: this libgev has no %s", f->option.name, f->variable);
	if (f->unit) /* --monitor: its argument is another option's */
		setenv("GEV_MONITOR", "1", 1);
	if (!argument && !f->plain)
		return 0;
	snprintf(value, sizeof value, "%s%s", argument ? argument : f->plain, argument && f->unit ? f->unit : "");
	char *wrong = option_wrong(row, value);
	if (wrong) {
		misused("run", "--%s=%s: %s", f->option.name, argument ? argument : "", wrong);
		free(wrong);
		return EXIT_GEV;
	}
	return setenv(f->variable, value, 1) == 0 ? 0 : EXIT_GEV;
}

static int complain(const char *program, int error)
{
	fprintf(stderr, "gev: '%s': %s\n", program, strerror(error));
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_UNFIT;
}

static int start(char **argv)
{
	char why[2048];
	char *path = search(argv[0]), *binary;
	if (!path)
		return complain(argv[0], errno);
	bool fits = fit(path, &binary, why, sizeof why);
	free(path);
	if (!fits) {
		fprintf(stderr, "gev: %s\n", why);
		return EXIT_UNFIT;
	}
	if (binary)
		say_what_it_gains(argv[0], binary);
	free(binary);
	/* By default the monitor speaks up once; who asks for it, or against it, has set the variable. */
	if (option_find("GEV_MONITOR"))
		setenv("GEV_MONITOR", "once", 0);
	if (preload(why, sizeof why) != 0) {
		fprintf(stderr, "gev: %s\n", why);
		return EXIT_GEV;
	}
	execvp(argv[0], argv);
	return complain(argv[0], errno);
}

static int run(int argc, char **argv)
{
	struct option options[N_FLAGS + 1] = {{0}};
	for (size_t i = 0; i < N_FLAGS; i++)
		options[i] = flags[i].option;
	/* '+': stop at the program's name; what follows is its own. */
	int at = 0;
	for (int c; (c = getopt_long(argc, argv, "+h", options, &at)) != -1;) {
		if (c == 'h' || (c == 0 && !flags[at].variable))
			return print_help("run");
		if (c != 0 || set(&flags[at], optarg) != 0)
			return EXIT_GEV;
	}
	if (optind == argc)
		return misused("run", "which program?");
	return start(argv + optind);
}

const struct command command_run = {"run", "run an unmodified program with its threads as greenlets", run};
