/* env.c: `gev env`: the table of options, and what this environment makes of them. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/command.h"
#include "tools/options.h"

/* Whether what the environment says of it is right. */
static bool print_row(const struct gev__option *o)
{
	printf("%s\n  %s\n  default: %s; wanted: %s%s\n", o->name, o->sentence, *o->standard ? o->standard : "none",
	       o->kind == GEV__OPTION_LIST ? "a list, by commas, of " : "", o->shape);
	const char *text = getenv(o->name);
	if (!text || !*text)
		return true;
	char *wrong = option_wrong(o, text);
	printf("  set here: %s%s\n", text, wrong ? ", which is wrong: the default holds" : "");
	free(wrong);
	return wrong == NULL;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c = getopt_long(argc, argv, "+h", options, NULL);
	if (c == 'h')
		return print_help("env");
	if (c != -1)
		return EXIT_GEV;
	if (optind != argc)
		return misused("env", "it takes no arguments");
	bool right = true;
	for (size_t i = 0; i < option_n; i++)
		right &= print_row(&option_rows[i]);
	return right ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_env = {"env", "the options in the environment: defaults, meanings, and what is set", run};
