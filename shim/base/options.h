/* options.h: what the environment asks of libpatch: the SHIM_OPTION rows of lib/base/options.def. */
#ifndef PATCH_OPTIONS_H
#define PATCH_OPTIONS_H

#include "lib/base/options-read.h"

struct patch_options {
#define LIB_OPTION(field, kind, name, standard, shape, sentence)
#define SHIM_OPTION(field, kind, name, standard, shape, sentence) GEV__OPTION_TYPE_##kind field;
#include "lib/base/options.def"
#undef LIB_OPTION
#undef SHIM_OPTION
};

/* Read from the environment at the first call, which main's start makes before the program can change it. */
const struct patch_options *patch_options(void);

#endif
