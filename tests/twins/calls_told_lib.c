/* The library of calls_told: functions of libc's that wait for what no test can bring about, or may not. They say that they were called, and
 * return when they are told to. */
#include <shadow.h>
#include <stdarg.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <syslog.h>
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

/* ---- The system as a whole: they fail, with one more than the errno that they find ---- */

static int fail(void)
{
	errno++;
	return -1;
}

TOLD(int, klogctl, (int action, char *to, int room), fail())
TOLD(int, delete_module, (const char *name, unsigned flags), fail())
TOLD(int, init_module, (void *image, unsigned long size, const char *values), fail())
TOLD(int, mount, (const char *what, const char *where, const char *type, unsigned long flags, const void *data), fail())
TOLD(int, umount, (const char *where), fail())
TOLD(int, umount2, (const char *where, int flags), fail())
TOLD(int, fsconfig, (int fd, unsigned command, const char *key, const void *value, int more), more == 7 ? fail() : 0)
TOLD(int, move_mount, (int from, const char *what, int to, const char *where, unsigned flags), fail())
TOLD(int, quotactl, (int command, const char *device, int id, char *to), fail())
TOLD(int, reboot, (int how), fail())
TOLD(int, swapon, (const char *path, int flags), fail())
TOLD(int, swapoff, (const char *path), fail())
TOLD(int, lckpwdf, (void), fail())
TOLD(int, ulckpwdf, (void), fail())

/* ---- The log ---- */

TOLD_VOID(openlog, (const char *name, int options, int facility))
TOLD_VOID(closelog, (void))
TOLD(int, setlogmask, (int mask), mask + 1)

static void put(int priority, const char *format, va_list ap)
{
	char line[200];
	wait_for_leave();
	vsnprintf(line, sizeof line, format, ap);
	printf("%d %s ", priority, line);
}

OURS void vsyslog(int priority, const char *format, va_list ap)
{
	put(priority, format, ap);
}

OURS void __vsyslog_chk(int priority, int flag, const char *format, va_list ap);
void __vsyslog_chk(int priority, int flag, const char *format, va_list ap)
{
	put(priority + flag, format, ap);
}

OURS void syslog(int priority, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	put(priority, format, ap);
	va_end(ap);
}

OURS void __syslog_chk(int priority, int flag, const char *format, ...);
void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	put(priority + flag, format, ap);
	va_end(ap);
}

/* ---- A system that boots, and has no random bits until then ---- */

static bool booted;

static void boot(void)
{
	if (!booted)
		wait_for_leave();
	booted = true;
}

OURS ssize_t getrandom(void *to, size_t n, unsigned flags)
{
	if (!booted && flags & GRND_NONBLOCK) {
		errno = EAGAIN;
		return -1;
	}
	boot();
	memset(to, 'r', n);
	return (ssize_t)n;
}

OURS int getentropy(void *to, size_t n)
{
	boot();
	memset(to, 'e', n);
	return 0;
}

OURS uint32_t arc4random(void);
uint32_t arc4random(void)
{
	boot();
	return 42;
}

OURS void arc4random_buf(void *to, size_t n);
void arc4random_buf(void *to, size_t n)
{
	boot();
	memset(to, 'a', n);
}

OURS uint32_t arc4random_uniform(uint32_t below);
uint32_t arc4random_uniform(uint32_t below)
{
	boot();
	return below - 1;
}
