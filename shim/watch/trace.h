/* trace.h: GEV_TRACE: a line for every patched call. */
#ifndef PATCH_WATCH_TRACE_H
#define PATCH_WATCH_TRACE_H

/* Before main, and again when there may be new libraries: with GEV_TRACE the program's calls go by way of the lines. */
void patch_trace(void);

#endif
