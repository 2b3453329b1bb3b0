/* options.c: the rows of options.def, for gev run, which sets them, and gev env, which shows them. */
#include "tools/options.h"

#include <ctype.h>
#include <stdio.h>

#define LIB_OPTION(field, kind, name, standard, shape, sentence) {GEV__OPTION_##kind, name, standard, shape, sentence},
#define SHIM_OPTION LIB_OPTION
const struct gev__option option_rows[] = {
#include "lib/base/options.def"
};

const size_t option_n = sizeof option_rows / sizeof *option_rows;

const struct gev__option *option_find(const char *name)
{
	for (size_t i = 0; i < option_n; i++)
		if (strcmp(option_rows[i].name, name) == 0)
			return &option_rows[i];
	return NULL;
}

/* Of a text only the words that its shape begins with can be held against it: "0|1|text|json[,FILE]". */
static bool text_fits(const char *shape, const char *text)
{
	char words[64];
	size_t n = strcspn(shape, "[");
	for (size_t i = 0; i < n; i++)
		if (isupper((unsigned char)shape[i]))
			return true;
	snprintf(words, sizeof words, "%.*s", (int)n, shape);
	return gev__option_word(words, text, strcspn(text, ",")) >= 0;
}

char *option_wrong(const struct gev__option *o, const char *text)
{
	int64_t value;
	char *wanted = NULL;
	if (o->kind == GEV__OPTION_TEXT ? text_fits(o->shape, text) : gev__option_parse(o, text, &value))
		return NULL;
	if (asprintf(&wanted, "wanted is %s%s", o->kind == GEV__OPTION_LIST ? "a list, by commas, of " : "", o->shape) <
	    0)
		abort();
	return wanted;
}
