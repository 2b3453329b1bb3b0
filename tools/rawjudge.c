/* rawjudge.c: what a system call means that was made past libc: by its name, held against the ledger.
 *
 * A function of libc that can wait has, with few exceptions, the name of the system call that waits for it. The exceptions are listed. */
#include <string.h>

#include "tools/rawcalls.h"

#define UNSEEN "made by an instruction of its own, unseen: every green thread waits while it waits"

static const struct {
	const char *name;
	const char *why;
} waits[] = {
	{"clone", "makes threads or processes of its own, unseen: real ones"},
	{"clone3", "makes threads or processes of its own, unseen: real ones"},
	{"futex", UNSEEN ", and for ever if a green thread would have to end the wait"},
	{"futex_wait", UNSEEN ", and for ever if a green thread would have to end the wait"},
	{"futex_waitv", UNSEEN ", and for ever if a green thread would have to end the wait"},
	{"io_getevents", UNSEEN},
	{"io_pgetevents", UNSEEN},
	{"io_uring_enter", UNSEEN},
	{"mq_timedreceive", UNSEEN},
	{"mq_timedsend", UNSEEN},
	{"ppoll", UNSEEN},
	{"pselect6", UNSEEN},
	{"rt_sigsuspend", UNSEEN},
	{"rt_sigtimedwait", UNSEEN},
};

const char *rawcall_name(long number)
{
	switch (number) {
#define CALL(number, name)                                                                                             \
	case number:                                                                                                   \
		return #name;
#include "syscalls.def"
#undef CALL
	default:
		return NULL;
	}
}

enum standing rawcall_judge(long number, const char **why)
{
	const char *name = rawcall_name(number);
	*why = "made by an instruction of its own, and the code does not show which: it may wait, unseen";
	if (!name)
		return STANDS_OPEN;
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		if (strcmp(waits[i].name, name) == 0) {
			*why = waits[i].why;
			return STANDS_OPEN;
		}
	}
	const struct entry *e = ledger_find(name);
	*why = e && e->standing == STANDS_HARMLESS ? e->why : "It returns at once.";
	if (!e || e->standing == STANDS_HARMLESS)
		return STANDS_HARMLESS;
	*why = e->standing == STANDS_OPEN ? e->why : UNSEEN;
	return STANDS_OPEN;
}
