/* report.h: the answers: who there is, and where they stand. For the watcher's thread. docs/control.md describes the JSON. */
#ifndef GEV_WATCH_REPORT_H
#define GEV_WATCH_REPORT_H

#include "lib/watch/picture.h"
#include "lib/watch/text.h"

/* One line each. */
void gev__report_ps(struct gev__text *t, const struct gev__picture *p);
void gev__report_ps_json(struct gev__text *t, const struct gev__picture *p);

/* Stacks of all (id 0) or of one. False: there is no such one. */
bool gev__report_bt(struct gev__text *t, const struct gev__picture *p, uint32_t id);
bool gev__report_bt_json(struct gev__text *t, const struct gev__picture *p, uint32_t id);

/* The heading and the stack of one, "greenlet 5 (worker) ...". */
void gev__report_one(struct gev__text *t, const struct gev__picture *p, const struct gev__seen *s);

#endif
