/* One line on standard error, written by one raw write(2): no stdio, no lock, no wrapper of ours. */
#include "shim/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say(const char *format, va_list args)
{
	char line[512];
	int saved = errno;
	int n = snprintf(line, sizeof line, "libpatch: ");
	int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
	if (m < 0)
		m = 0;
	n += m;
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	if (syscall(SYS_write, STDERR_FILENO, line, (size_t)n) < 0) {
		/* Standard error is closed: there is nowhere left to say it. */
	}
	errno = saved;
}

void patch_say(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(format, args);
	va_end(args);
}

void patch_die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(format, args);
	va_end(args);
	abort();
}
