/* One line, one write(2). No stdio: its lock may be held by whoever is parked. */
#include "lib/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/sys.h"

static void say(const char *format, va_list args)
{
	char line[512];
	int saved = errno;
	int n = snprintf(line, sizeof line, "libgev: ");
	int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
	n += m > 0 ? m : 0;
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	if (gev__sys.write(STDERR_FILENO, line, (size_t)n) < 0) {
		/* Standard error is closed: there is nowhere left to say it. */
	}
	errno = saved;
}

void gev__warn(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(format, args);
	va_end(args);
}

void gev__die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(format, args);
	va_end(args);
	abort();
}
