/* run.c: starts a program with libpatch.so in front, or says why that is not possible.
 *
 * The program takes this process's place: same process id, and its exit status is its own. */
#include "run.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "preload.h"

/* The file that execvp(3) would run, for the caller to free; NULL and errno when there is none: EACCES when one was there that
 * may not be executed. A name with a slash is not searched for. */
static char *search(const char *program)
{
	if (strchr(program, '/'))
		return access(program, X_OK) == 0 ? strdup(program) : NULL;

	const char *folders = getenv("PATH");
	if (!folders)
		folders = "/bin:/usr/bin"; /* execvp(3): the path when there is none */
	int error = ENOENT;
	for (const char *at = folders;; at++) {
		size_t n = strcspn(at, ":");
		char *path;
		/* An empty folder is the current one. */
		if (asprintf(&path, "%.*s%s%s", (int)n, at, n ? "/" : "./", program) < 0)
			return NULL;
		struct stat st;
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			if (access(path, X_OK) == 0)
				return path;
			error = EACCES;
		}
		free(path);
		at += n;
		if (!*at)
			break;
	}
	errno = error;
	return NULL;
}

static int complain(const char *program, int error)
{
	fprintf(stderr, "gev: '%s': %s\n", program, strerror(error));
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_UNFIT;
}

int run(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	optind = 1;
	/* '+': stop at the program's name; what follows is its own. */
	for (int c; (c = getopt_long(argc, argv, "+h", options, NULL)) != -1;) {
		if (c != 'h')
			return EXIT_GEV;
		puts("usage: gev run [--] program [arguments]");
		return EXIT_SUCCESS;
	}
	if (optind == argc) {
		fputs("gev: run: which program?\n", stderr);
		return EXIT_GEV;
	}

	const char *program = argv[optind];
	char *path = search(program);
	if (!path)
		return complain(program, errno);
	char why[2048];
	if (!check(path, why, sizeof why)) {
		fprintf(stderr, "gev: %s\n", why);
		free(path);
		return EXIT_UNFIT;
	}
	free(path);
	if (preload(why, sizeof why) != 0) {
		fprintf(stderr, "gev: %s\n", why);
		return EXIT_GEV;
	}
	execvp(program, argv + optind);
	return complain(program, errno);
}
