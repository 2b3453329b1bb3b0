/* The public face of time: gev/time.h. */
#include <gev/time.h>

#include <errno.h>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/core/hub.h"
#include "lib/core/park.h"

static int sleep_for(double seconds)
{
	int64_t deadline;
	int r = gev__deadline(seconds, &deadline);
	if (r < 0)
		return r;
	if (gev__self_get(&r) == NULL)
		return r;
	r = gev__kill_point();
	if (r < 0)
		return r;
	if (deadline == 0) {
		gev__yield();
		return 0;
	}
	return gev__sleep_until(deadline, GEV_PARK_KILLABLE);
}

int gev_sleep(double seconds)
{
	return (int)gev__result(sleep_for(seconds));
}

double gev_now(void)
{
	return (double)gev__now() / 1e9;
}
