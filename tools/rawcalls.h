/* rawcalls.h: system calls that code makes by an instruction of its own, past libc, so that no preload can see them. */
#ifndef TOOLS_RAWCALLS_H
#define TOOLS_RAWCALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/elf/object.h"
#include "tools/ledger.h"

struct rawcall {
	uint64_t address;
	const char *function; /* in whose code it stands; NULL: not known */
	long number;          /* -1: the code does not show it */
};

/* Calls found() for each in the object. False: this gev cannot look (it was built without capstone, or for another processor). */
bool rawcalls_find(const struct object *o, void (*found)(const struct rawcall *call, void *arg), void *arg);

/* "read"; NULL: no system call has the number. */
const char *rawcall_name(long number);

/* What the call means for the other threads, and in *why a sentence. */
enum standing rawcall_judge(long number, const char **why);

#endif
