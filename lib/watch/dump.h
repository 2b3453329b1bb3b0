/* dump.h: GEV_DUMP: everything about all greenlets, on a signal, without any tool at hand. */
#ifndef GEV_WATCH_DUMP_H
#define GEV_WATCH_DUMP_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/watch/picture.h"
#include "lib/watch/text.h"

/* Reads GEV_DUMP: SIGNAL[,FILE]. The signal's number and *file; 0: off, or wrong, and that has been said. */
int gev__dump_prepare(const char *option, const char **file);
/* Installs the handler. */
void gev__dump_listen(int sig);
/* Whether that signal has our handler. */
bool gev__dump_owns(int sig);
/* Whom the handler is to wake. */
void gev__dump_thread(pid_t tid);
/* Whether a dump was asked for since the last time. */
bool gev__dump_asked(void);
void gev__dump_write(const char *file);

#endif
