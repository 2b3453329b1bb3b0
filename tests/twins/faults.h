/* faults.h: what a fixture asks of the library of the fault runs (faults.c), where that is preloaded. */
#ifndef FAULTS_H
#define FAULTS_H

#include <dlfcn.h>

enum { FAULTS_SOFT = 1, FAULTS_HARD = 2, FAULTS_DEAD = 4 };

/* From now on, and until it is closed, calls on fd fail in these ways; with fd 0: those that make a socket. */
typedef void faults_function(int fd, int what);

static inline void faults(int fd, int what)
{
	faults_function *on = (faults_function *)dlsym(RTLD_DEFAULT, "faults_on");
	if (on)
		on(fd, what);
}

#endif
