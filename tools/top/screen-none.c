/* screen-none.c: a gev built without ncurses. */
#include <stdio.h>

#include "tools/top/screen.h"

int screen_run(pid_t pid, const char *program, double seconds, enum order order, char *why, size_t size)
{
	(void)pid;
	(void)program;
	(void)seconds;
	(void)order;
	snprintf(why, size, "this gev was built without ncurses; --batch works");
	return -1;
}
