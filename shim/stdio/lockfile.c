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
EXPORT_AS(_IO_funlockfile, funlockfile);
