/* run.h: `gev run [--] program [arguments]`. */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

/* What gev itself ends with when the program was not started; env(1), nice(1) and timeout(1) use the same three. */
enum {
	EXIT_GEV = 125,       /* gev was misused, or cannot find its library */
	EXIT_UNFIT = 126,     /* the program is there, and cannot be run or patched */
	EXIT_NOT_FOUND = 127, /* there is no such program */
};

/* argv[0] is "run". Replaces this process by the program; returns an exit status only when that fails. */
int run(int argc, char **argv);

#endif
