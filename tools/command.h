/* command.h: what each subcommand of `gev` is, and how `gev` itself ends.
 *
 * One subcommand a file; each defines its `struct command`, and gev.c lists them. The long help of each is tools/help/NAME.txt. */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

/* What gev itself ends with when the program was not started; env(1), nice(1) and timeout(1) use the same three. */
enum {
	EXIT_GEV = 125,       /* gev was misused, or lacks what it needs */
	EXIT_UNFIT = 126,     /* the program is there, and cannot be run or patched */
	EXIT_NOT_FOUND = 127, /* there is no such program */
};

struct command {
	const char *name;
	const char *purpose;               /* half a sentence */
	int (*run)(int argc, char **argv); /* argv[0] is the name; returns gev's exit status */
};

extern const struct command command_bt;
extern const struct command command_check;
extern const struct command command_compare;
extern const struct command command_env;
extern const struct command command_help;
extern const struct command command_ps;
extern const struct command command_run;
extern const struct command command_stats;
extern const struct command command_top;

/* The text of `gev help NAME`; NULL: there is none. */
const char *help_text(const char *name);

/* One line on standard error, "gev: NAME: ..."; returns EXIT_GEV. */
int misused(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What --help and -h print. Returns EXIT_SUCCESS. */
int print_help(const char *name);

#endif
