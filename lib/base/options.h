/* options.h: what the environment asks of libgev, as options.def lists it. */
#ifndef GEV_BASE_OPTIONS_H
#define GEV_BASE_OPTIONS_H

#include "lib/base/options-read.h"

struct gev__options {
#define LIB_OPTION(field, kind, name, standard, shape, sentence) GEV__OPTION_TYPE_##kind field;
#define SHIM_OPTION(field, kind, name, standard, shape, sentence)
#include "lib/base/options.def"
#undef LIB_OPTION
#undef SHIM_OPTION
};

/* Read from the environment at the first call; a wrong value is one warning and the default. */
const struct gev__options *gev__options(void);

/* For whoever obeys a TEXT option and finds it wrong: says so, and what holds instead. */
void gev__option_wrong(const char *name, const char *text, const char *wanted, const char *taken);

#endif
