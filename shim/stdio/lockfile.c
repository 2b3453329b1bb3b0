/* flockfile, ftrylockfile, funlockfile: the stream is taken, over the program's own code, and libc's lock is not touched. */
#include "shim/stdio/stream.h"

void patch_flockfile(FILE *f)
{
	if (likely(!streams_ours))
		real.flockfile(f);
	else
		stream_hold(f, true);
}
EXPORT(flockfile);
EXPORT_AS(_IO_flockfile, flockfile);

int patch_ftrylockfile(FILE *f)
{
	return likely(!streams_ours) ? real.ftrylockfile(f) : stream_hold(f, false);
}
EXPORT(ftrylockfile);
EXPORT_AS(_IO_ftrylockfile, ftrylockfile);

void patch_funlockfile(FILE *f)
{
	if (likely(!streams_ours))
		real.funlockfile(f);
	else
		stream_let_go(f);
}
EXPORT(funlockfile);

/* libc's own calls on a stream give its lock back by this name when they are unwound (_IO_cleanup_region_start of libioP.h). */
void patch__IO_funlockfile(FILE *f)
{
	if (f->_lock && stream_lock(f)->owner == (void *)pthread_self())
		real._IO_funlockfile(f);
	else
		patch_funlockfile(f);
}
EXPORT(_IO_funlockfile);
