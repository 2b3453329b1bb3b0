/* Functions that wait for what no test can bring about, or may not: each is called by a thread, and returns when another lets it (calls_told_lib.c). */
#include <shadow.h>
#include <stdarg.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <syslog.h>
#include <utmp.h>

#include "twin.h"

extern int call_made[2], call_told[2];

/* What no header, or not each libc's, declares. */
int __getlogin_r_chk(char *to, size_t room, size_t there);
int delete_module(const char *name, unsigned flags);
int init_module(void *image, unsigned long size, const char *values);
int fsconfig(int fd, unsigned command, const char *key, const void *value, int more);
int move_mount(int from, const char *what, int to, const char *where, unsigned flags);
void __syslog_chk(int priority, int flag, const char *format, ...);
void __vsyslog_chk(int priority, int flag, const char *format, va_list ap);
uint32_t arc4random(void);
void arc4random_buf(void *to, size_t n);
uint32_t arc4random_uniform(uint32_t below);

static char buffer[100];

#define SAYS(name, ...)                                                                                                \
	static void call_##name(void)                                                                                  \
	{                                                                                                              \
		errno = EXFULL;                                                                                        \
		long r = name(__VA_ARGS__);                                                                            \
		int error = errno;                                                                                     \
		printf("%ld %s\n", r, strerrorname_np(error));                                                         \
	}
#define DONE(name, ...)                                                                                                \
	static void call_##name(void)                                                                                  \
	{                                                                                                              \
		name(__VA_ARGS__);                                                                                     \
		puts("done");                                                                                          \
	}

static struct utmp entry;

static void call_getlogin(void)
{
	puts(getlogin());
}
SAYS(getlogin_r, buffer, sizeof buffer)
SAYS(__getlogin_r_chk, buffer, sizeof buffer, sizeof buffer)
DONE(login, &entry)
SAYS(logout, "line")
DONE(logwtmp, "line", "name", "host")

SAYS(klogctl, 2, buffer, sizeof buffer)
SAYS(delete_module, "name", 0)
SAYS(init_module, buffer, sizeof buffer, "")
SAYS(mount, "what", "where", "type", 0, NULL)
SAYS(umount, "where")
SAYS(umount2, "where", 0)
SAYS(fsconfig, 1, 2, "key", "value", 7)
SAYS(move_mount, 1, "what", 2, "where", 0)
SAYS(quotactl, 1, "device", 2, buffer)
SAYS(reboot, 77)
SAYS(swapon, "path", 0)
SAYS(swapoff, "path")
SAYS(lckpwdf)
SAYS(ulckpwdf)

DONE(openlog, "name", 0, LOG_USER)
DONE(syslog, 3, "text %d: %m", 7)
DONE(__syslog_chk, 3, 1, "text %s %f", "more", 0.5)
DONE(closelog)
SAYS(setlogmask, 7)

static void log_by_list(void (*how)(int priority, const char *format, va_list ap), const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	how(5, format, ap);
	va_end(ap);
}

static void log_checked(int priority, const char *format, va_list ap)
{
	__vsyslog_chk(priority, 1, format, ap);
}

static void call_vsyslog(void)
{
	log_by_list(vsyslog, "%d and %s", 8, "text");
	puts("done");
}

static void call___vsyslog_chk(void)
{
	log_by_list(log_checked, "%d and %s", 9, "text");
	puts("done");
}

/* Each in a process of its own, for which the system has just begun. */
SAYS(getrandom, buffer, 8, 0)
SAYS(getentropy, buffer, 8)
SAYS(arc4random)
DONE(arc4random_buf, buffer, 8)
SAYS(arc4random_uniform, 7)

static const struct call {
	const char *name;
	void (*make)(void);
} calls[] =
	{
#define C(name)                                                                                                        \
	{                                                                                                              \
#name, call_##name                                                                                     \
	}
		C(getlogin),      C(getlogin_r),    C(__getlogin_r_chk), C(login),  C(logout),       C(logwtmp),
		C(klogctl),       C(delete_module), C(init_module),      C(mount),  C(umount),       C(umount2),
		C(fsconfig),      C(move_mount),    C(quotactl),         C(reboot), C(swapon),       C(swapoff),
		C(lckpwdf),       C(ulckpwdf),      C(openlog),          C(syslog), C(__syslog_chk), C(vsyslog),
		C(__vsyslog_chk), C(closelog),      C(setlogmask),
},
  draws[] = {C(getrandom), C(getentropy), C(arc4random), C(arc4random_buf), C(arc4random_uniform)};

static void *run(void *arg)
{
	const struct call *c = arg;
	printf("%s: ", c->name);
	c->make();
	return NULL;
}

static void make(const struct call *c)
{
	char byte;
	pthread_t t = spawn(run, (void *)c);
	check(read(call_made[0], &byte, 1) == 1);
	check(write(call_told[1], "x", 1) == 1);
	join(t);
}

int main(void)
{
	check(pipe(call_made) == 0 && pipe(call_told) == 0);
	for (size_t i = 0; i < sizeof draws / sizeof *draws; i++) {
		int status;
		fflush(stdout);
		if (fork() == 0) {
			make(&draws[i]);
			make(&calls[0]);
			printf("%.8s and then ", buffer);
			run((void *)&draws[i]);
			fflush(stdout);
			_exit(0);
		}
		check(wait(&status) > 0 && status == 0);
	}
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		make(&calls[i]);
	puts(buffer);
	return 0;
}
