/* search.c: a program's name looked up in PATH, as execvp(3) does it. */
#include "tools/elf/search.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *search(const char *program)
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
