/* stats.h: what was counted: GEV_STATS at exit, `gev stats` while it runs. */
#ifndef GEV_WATCH_STATS_H
#define GEV_WATCH_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "gev/embed.h"
#include "lib/watch/text.h"

/* Reads GEV_STATS. False: it is off, or was wrong, and that has been said. */
bool gev__stats_prepare(const char *option);
/* At the end of the process: once, and only where GEV_STATS asks for it. */
void gev__stats_at_exit(void);

void gev__stats_text(struct gev__text *t, bool json);

/* The monitor sees a hub stand still for too long; and for how long it has by now. */
void gev__stats_stall_begins(void);
void gev__stats_stall_lasts(int64_t ns);

/* A shim's own counts; the array stays its own and goes on counting. */
void gev__stats_passed(const struct gev_watch_count *counts, size_t n);

#endif
