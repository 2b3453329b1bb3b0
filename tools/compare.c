/* compare.c: `gev compare`, which is written in Python: starts it, after a look whether the program can be patched at all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/beside.h"
#include "tools/command.h"
#include "tools/elf/fit.h"
#include "tools/elf/search.h"
#include "tools/gains.h"

enum { NOT_PATCHABLE = 2 };

/* In the order in which they are looked at. */
static const char *const places[] = {
	"compare",                              /* the build tree */
	GEV_LIBEXECDIR_FROM_BIN "/gev/compare", /* installed, perhaps moved since */
	GEV_LIBEXECDIR "/gev/compare",
	NULL,
};

/* The program among the arguments: behind --, or the first that is neither an option nor the argument of one; NULL: not plain to see. */
static const char *program_of(int argc, char **argv)
{
	for (int i = 1; i < argc - 1; i++)
		if (strcmp(argv[i], "--") == 0)
			return argv[i + 1];
	return NULL;
}

static int run(int argc, char **argv)
{
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return print_help("compare");
	const char *program = program_of(argc, argv);
	char why[2048];
	char *path = program ? search(program) : NULL, *binary = NULL;
	if (path && !fit(path, &binary, why, sizeof why)) {
		misused("compare", "%s", why);
		return NOT_PATCHABLE;
	}
	free(path);
	if (binary)
		say_what_it_gains(program, binary);
	free(binary);

	char *folder = find_beside(places), *self = own_path();
	if (!folder || !self) {
		free(folder);
		free(self);
		return misused("compare", "its other half, %s, is not there", places[1]);
	}
	/* -B: no compiled files beside the sources. */
	char *before[] = {(char *)"python3", (char *)"-B", folder, self};
	enum { BEFORE = sizeof before / sizeof *before };
	char *command[BEFORE + argc];
	memcpy(command, before, sizeof before);
	memcpy(command + BEFORE, argv + 1, (size_t)argc * sizeof *argv); /* the NULL at its end as well */
	execvp(command[0], command);
	int error = errno;
	free(folder);
	free(self);
	return misused("compare", "python3: %s", strerror(error));
}

const struct command command_compare = {"compare", "a program natively and green, in turn, under your load", run};
