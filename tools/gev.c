/* gev.c: the `gev` command: one table of what it can do. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"

static const struct command *const commands[] = {
	&command_run,   &command_check, &command_compare, &command_ps,   &command_bt,
	&command_stats, &command_top,   &command_env,     &command_help,
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void overview(FILE *out)
{
	fputs("usage: gev COMMAND [arguments]\n\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->purpose);
	fputs("\n`gev help COMMAND` says more about one; `gev --version` which gev this is.\n", out);
}

int misused(const char *name, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "gev: %s: ", name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return EXIT_GEV;
}

int print_help(const char *name)
{
	fputs(help_text(name), stdout);
	return EXIT_SUCCESS;
}

static int help(int argc, char **argv)
{
	if (argc < 2) {
		overview(stdout);
		return EXIT_SUCCESS;
	}
	if (argc > 2)
		return misused("help", "one command at a time");
	if (!find(argv[1]) || !help_text(argv[1]))
		return misused("help", "no command '%s'; `gev help` lists them", argv[1]);
	return print_help(argv[1]);
}

const struct command command_help = {"help", "what a command does, its options and its exit status", help};

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
			overview(stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("gev " GEV_VERSION);
			return EXIT_SUCCESS;
		default:
			return EXIT_GEV;
		}
	}
	if (optind == argc) {
		overview(stderr);
		return EXIT_GEV;
	}
	const struct command *command = find(argv[optind]);
	if (command) {
		argc -= optind;
		argv += optind;
		optind = 0; /* getopt(3), glibc: starts over, with the next call's own rules */
		return command->run(argc, argv);
	}
	fprintf(stderr, "gev: no command '%s'; `gev help` lists them\n", argv[optind]);
	return EXIT_GEV;
}
