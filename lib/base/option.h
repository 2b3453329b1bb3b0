/* option.h: the options, as option.def lists them. */
#ifndef GEV_BASE_OPTION_H
#define GEV_BASE_OPTION_H

struct gev__options {
#define OPTION(field, name, value, lowest, highest, sentence) long field;
#include "lib/base/option.def"
#undef OPTION
};

/* Read from the environment at the first call; a wrong value is one warning and the default. */
const struct gev__options *gev__options(void);

#endif
