/* gains.c: a program gains something if it can make threads: it, or a library that it loads, imports what makes them. */
#include "tools/gains.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/elf/closure.h"

static bool any_imported(const struct closure *c, const char *const *names)
{
	for (; *names; names++)
		if (closure_imports(c, *names))
			return true;
	return false;
}

void say_what_it_gains(const char *program, const char *binary)
{
	static const char *const makers[] = {"pthread_create", "thrd_create", NULL};
	static const char *const starters[] = {"execl",        "execle", "execlp",  "execv",   "execve",
					       "execveat",     "execvp", "execvpe", "fexecve", "posix_spawn",
					       "posix_spawnp", "system", "popen",   NULL};
	struct closure c;
	char why[2048];
	if (closure_of_program(binary, &c, why, sizeof why) == 0 && !any_imported(&c, makers)) {
		const char *loads = closure_imports(&c, "dlopen") ? "libraries that it loads later" : NULL;
		const char *follow = getenv("GEV_FOLLOW");
		bool starts = !(follow && strcmp(follow, "0") == 0) && any_imported(&c, starters);
		if (loads || starts)
			fprintf(stderr, "gev: '%s' itself never makes a thread: only %s%s%s may gain\n", program,
				loads ? loads : "", loads && starts ? " and " : "",
				starts ? "programs that it starts" : "");
		else
			fprintf(stderr, "gev: '%s' never makes a thread: there is nothing to gain\n", program);
	}
	closure_free(&c);
}
