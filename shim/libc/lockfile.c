/* flockfile, ftrylockfile, funlockfile: the lock of a stream, held over the program's own code.
 *
 * It is libc's, and whoever finds it taken inside libc waits with the whole OS thread. So no time slice ends while it is held, and who waits for it
 * here tries and naps. (A thread that parks while it holds it still stops everybody who prints to the stream.) */
#include "shim/pthread/until.h"
#include "shim/signal/signals.h"

void patch_flockfile(FILE *f)
{
	int64_t step = 0;
	if (!patch_signals_ours()) {
		real.flockfile(f);
		return;
	}
	while (real.ftrylockfile(f) != 0)
		patch_nap(&step, GEV_NEVER, GEV_PARK_PLAIN);
	patch_sig.still++;
}
EXPORT(flockfile);
EXPORT_AS(_IO_flockfile, flockfile);

int patch_ftrylockfile(FILE *f)
{
	int r = real.ftrylockfile(f);
	if (r == 0)
		patch_sig.still++;
	return r;
}
EXPORT(ftrylockfile);
EXPORT_AS(_IO_ftrylockfile, ftrylockfile);

void patch_funlockfile(FILE *f)
{
	real.funlockfile(f);
	if (patch_sig.still > 0)
		patch_sig.still--;
}
EXPORT(funlockfile);
EXPORT_AS(_IO_funlockfile, funlockfile);
