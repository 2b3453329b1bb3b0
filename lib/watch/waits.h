/* waits.h: what a greenlet waits for, in words and as JSON. For the watcher's thread. */
#ifndef GEV_WATCH_WAITS_H
#define GEV_WATCH_WAITS_H

#include "lib/watch/picture.h"
#include "lib/watch/text.h"

/* "new", "ready", "runs", "waits". */
const char *gev__state_word(const struct gev__seen *s);

/* What it is called: its name, else its function, else "?". */
void gev__display_name(const struct gev__seen *s, char *out, size_t room);

/* "mutex lock_b, held by 4 (worker), 1.20s left", or where it has no name "mutex 0x5581a0, ...". Nothing when it does not wait. */
void gev__waits_text(struct gev__text *t, const struct gev__picture *p, const struct gev__seen *s);
/* {"for":"mutex","address":"0x5581a0","symbol":"lock_b","owner":4,"left_ns":1200000000,"text":"..."}, or null. */
void gev__waits_json(struct gev__text *t, const struct gev__picture *p, const struct gev__seen *s);

#endif
