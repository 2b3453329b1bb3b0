/* result.h: the one converter of the public library: -errno inside, -1 and errno outside. */
#ifndef GEV_BASE_RESULT_H
#define GEV_BASE_RESULT_H

#include <errno.h>
#include <sys/types.h>

static inline ssize_t gev__result(ssize_t r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

#endif
