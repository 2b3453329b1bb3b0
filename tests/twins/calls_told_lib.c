/* The library of calls_told: functions of libc's that wait for what no test can bring about, or may not. They say that they were called, and
 * return when they are told to. */
#include <sys/syscall.h>
#include <utmp.h>

#include "twin.h"

#define OURS __attribute__((visibility("default")))

OURS extern int call_made[2], call_told[2];
OURS int call_made[2], call_told[2];

/* Past libc's read: nobody but a real thread gets on meanwhile. */
static void wait_for_leave(void)
{
	char byte = 'c';
	check(syscall(SYS_write, call_made[1], &byte, 1) == 1);
	check(syscall(SYS_read, call_told[0], &byte, 1) == 1);
}

#define TOLD(ret, name, params, result)                                                                                \
	OURS ret name params;                                                                                          \
	ret name params                                                                                                \
	{                                                                                                              \
		wait_for_leave();                                                                                      \
		return result;                                                                                         \
	}
#define TOLD_VOID(name, params)                                                                                        \
	OURS void name params;                                                                                         \
	void name params                                                                                               \
	{                                                                                                              \
		wait_for_leave();                                                                                      \
	}

static char user[] = "somebody";

TOLD(char *, getlogin, (void), user)
TOLD(int, getlogin_r, (char *to, size_t room), snprintf(to, room, "%s", user) < 0)
TOLD(int, __getlogin_r_chk, (char *to, size_t room, size_t there), room > there || snprintf(to, room, "%s", user) < 0)
TOLD_VOID(login, (const struct utmp *entry))
TOLD(int, logout, (const char *line), strcmp(line, "line") == 0)
TOLD_VOID(logwtmp, (const char *line, const char *name, const char *host))
