/* syslog: libc's own, as a visit. It writes to a socket, which may be full, by a connect and a send of its own, past every symbol and under a lock of
 * libc's, for which the other functions of the log wait too: they are visits by the table (visits.def). A visit costs more than the call itself: 9.6 us of
 * processor time in all, and natively 4. */
#include <syslog.h>

#include "shim/libc/visit.h"

struct entry {
	struct visit visit;
	int priority, flag;
	const char *format;
	va_list ap;
};

static void write_entry(struct visit *v)
{
	struct entry *e = (struct entry *)(void *)v;
	real.vsyslog(e->priority, e->format, e->ap);
}

static void write_checked(struct visit *v)
{
	struct entry *e = (struct entry *)(void *)v;
	real.__vsyslog_chk(e->priority, e->flag, e->format, e->ap);
}

static void enter(struct entry *e, va_list ap)
{
	va_copy(e->ap, ap);
	visit(&e->visit, patch_green());
	va_end(e->ap);
}

void patch_vsyslog(int priority, const char *format, va_list ap)
{
	if (likely(!patch_started))
		real.vsyslog(priority, format, ap);
	else
		enter(&(struct entry){.visit.call = write_entry, .priority = priority, .format = format}, ap);
}
EXPORT(vsyslog);

void patch___vsyslog_chk(int priority, int flag, const char *format, va_list ap)
{
	struct entry e = {.visit.call = write_checked, .priority = priority, .flag = flag, .format = format};
	if (likely(!patch_started))
		real.__vsyslog_chk(priority, flag, format, ap);
	else
		enter(&e, ap);
}
EXPORT(__vsyslog_chk);
