/* monitor.h: notices a hub that stands still, and greenlets that wait for one another, and says so on standard error. */
#ifndef GEV_WATCH_MONITOR_H
#define GEV_WATCH_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

/* once: the first stall only, in one line, without a stack. */
void gev__monitor_prepare(int64_t max_blocking, bool once);
/* How long to sleep between two looks. */
int64_t gev__monitor_period(void);
void gev__monitor_look(void);

#endif
