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

/* Of an operation that goes on until all is done: `all` bytes went over; then r: positive, all of them; 0, the stream has ended; or -errno. */
static inline ssize_t gev__result_all(size_t all, ssize_t r)
{
	if (r <= 0)
		errno = (int)-r;
	return all == 0 && r < 0 ? -1 : (ssize_t)all;
}

#endif
