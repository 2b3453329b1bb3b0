/* options.h: the options of both libraries, as lib/base/options.def lists them. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stddef.h>

#include "lib/base/options-read.h"

extern const struct gev__option option_rows[];
extern const size_t option_n;

/* NULL: no such option. */
const struct gev__option *option_find(const char *name);

/* What the text should have been, for the caller to free; NULL: it is right. */
char *option_wrong(const struct gev__option *o, const char *text);

#endif
