/* gev.c: the `gev` command: one table of what it can do. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static const struct command {
	const char *name;
	const char *usage;
	const char *purpose;
	int (*function)(int argc, char **argv);
} commands[] = {
	{"run", "[--] program [arguments]", "run an unmodified program with its threads as greenlets", run},
};

static void help(FILE *out)
{
	fputs("usage: gev COMMAND [arguments]\n\n", out);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		fprintf(out, "  gev %s %s\n      %s\n", commands[i].name, commands[i].usage, commands[i].purpose);
	fputs("  gev --help\n  gev --version\n", out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	/* '+': options behind the command's name are the command's. */
	for (int c; (c = getopt_long(argc, argv, "+hV", options, NULL)) != -1;) {
		switch (c) {
		case 'h':
			help(stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("gev " GEV_VERSION);
			return EXIT_SUCCESS;
		default:
			return EXIT_GEV;
		}
	}
	if (optind == argc) {
		help(stderr);
		return EXIT_GEV;
	}
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(argv[optind], commands[i].name) == 0)
			return commands[i].function(argc - optind, argv + optind);
	fprintf(stderr, "gev: no command '%s'; `gev --help` lists them\n", argv[optind]);
	return EXIT_GEV;
}
