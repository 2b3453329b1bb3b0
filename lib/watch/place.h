/* place.h: where the control socket of a process lies: PLACE/PID.sock, PLACE being the first of these folders that can be used.
 * Header only: the library makes it there, and the gev command looks for it there. */
#ifndef GEV_WATCH_PLACE_H
#define GEV_WATCH_PLACE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* The i-th candidate for a process of that user whose XDG_RUNTIME_DIR is `runtime` (NULL: it has none). False: it does not exist, or its name is
 * too long; go on with the next. All are private folders, mode 0700. */
enum { GEV__PLACES = 3 };
static inline bool gev__control_place(int i, uid_t user, const char *runtime, char *out, size_t room)
{
	int n = -1;
	if (i == 0 && runtime && *runtime == '/')
		n = snprintf(out, room, "%s/gev", runtime);
	else if (i == 1)
		n = snprintf(out, room, "/run/user/%u/gev", (unsigned)user);
	else if (i == 2)
		n = snprintf(out, room, "/tmp/gev-%u", (unsigned)user);
	return n > 0 && (size_t)n < room;
}

#endif
