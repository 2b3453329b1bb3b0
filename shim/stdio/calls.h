/* calls.h: what stands in libc's tables besides the functions that have names of their own (symbols.def). */
#ifndef SHIM_STDIO_CALLS_H
#define SHIM_STDIO_CALLS_H

#include "shim/stdio/stream.h"

int stream_overflow(FILE *f, int c);
int stream_wide_overflow(FILE *f, wint_t c);

#endif
