/* Options: the table itself, defaults, values from the environment, and wrong values. Each test is its own process. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "lib/base/options.h"

#include <stdarg.h>
#include <stdio.h>

static const struct gev__option rows[] = {
#define LIB_OPTION(field, kind, name, standard, shape, sentence) {GEV__OPTION_##kind, name, standard, shape, sentence},
#define SHIM_OPTION LIB_OPTION
#include "lib/base/options.def"
#undef LIB_OPTION
#undef SHIM_OPTION
};

Test(options, every_row_accepts_its_own_default)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t value;
		cr_expect(rows[i].kind == GEV__OPTION_TEXT || gev__option_parse(&rows[i], rows[i].standard, &value),
			  "%s", rows[i].name);
		cr_expect_eq(strncmp(rows[i].name, "GEV_", 4), 0, "%s", rows[i].name);
		cr_expect(rows[i].sentence[strlen(rows[i].sentence) - 1] == '.', "%s", rows[i].name);
	}
}

Test(options, defaults)
{
	unsetenv("GEV_STACK_SIZE");
	cr_expect_eq(gev__options()->stack_size, 256 * 1024);
	cr_expect_eq(gev__options()->guard, 1);
}

Test(options, given)
{
	setenv("GEV_STACK_SIZE", "1M", 1);
	setenv("GEV_GUARD", "0", 1);
	setenv("GEV_STACK_CACHE", "", 1);
	cr_expect_eq(gev__options()->stack_size, 1 << 20);
	cr_expect_eq(gev__options()->guard, 0);
	cr_expect_eq(gev__options()->stack_cache, 128 << 20);
}

Test(options, a_wrong_value_is_said_and_the_default_holds, .init = cr_redirect_stderr)
{
	setenv("GEV_STACK_SIZE", "big", 1);
	cr_expect_eq(gev__options()->stack_size, 256 * 1024);
	cr_expect_stderr_eq_str("libgev: GEV_STACK_SIZE=big: wanted is 4k..1T; taking 256k\n");
}

static const struct {
	const char *desc;
	enum gev__option_kind kind;
	const char *shape;
	const char *text;
	bool right;
	int64_t value;
} cases[] = {
	{"a number", GEV__OPTION_NUMBER, "0..10", "7", true, 7},
	{"the highest", GEV__OPTION_NUMBER, "0..10", "10", true, 10},
	{"too high", GEV__OPTION_NUMBER, "0..10", "11", false, 0},
	{"too low", GEV__OPTION_NUMBER, "1..10", "0", false, 0},
	{"negative", GEV__OPTION_NUMBER, "0..10", "-1", false, 0},
	{"no number", GEV__OPTION_NUMBER, "0..10", "many", false, 0},
	{"a number and more", GEV__OPTION_NUMBER, "0..10", "7x", false, 0},
	{"a number with a unit that it has not", GEV__OPTION_NUMBER, "0..100000", "7k", false, 0},
	{"a blank before it", GEV__OPTION_NUMBER, "0..10", " 7", false, 0},
	{"more than fits into 64 bits", GEV__OPTION_NUMBER, "0..10", "99999999999999999999", false, 0},
	{"bytes", GEV__OPTION_SIZE, "0..1T", "4096", true, 4096},
	{"kibibytes", GEV__OPTION_SIZE, "0..1T", "64k", true, 65536},
	{"in capitals", GEV__OPTION_SIZE, "0..1T", "64K", true, 65536},
	{"tebibytes", GEV__OPTION_SIZE, "0..1T", "1T", true, INT64_C(1) << 40},
	{"a product that overflows", GEV__OPTION_SIZE, "0..1T", "99999999999T", false, 0},
	{"milliseconds", GEV__OPTION_TIME, "0..10s", "5ms", true, 5000000},
	{"seconds", GEV__OPTION_TIME, "0..10s", "1s", true, 1000000000},
	{"time without a unit", GEV__OPTION_TIME, "0..10s", "5", false, 0},
	{"no time at all", GEV__OPTION_TIME, "0..10s", "0", true, 0},
	{"time with a size's unit", GEV__OPTION_TIME, "0..10s", "5k", false, 0},
	{"the first word", GEV__OPTION_CHOICE, "ares|thread|block", "ares", true, 0},
	{"the last word", GEV__OPTION_CHOICE, "ares|thread|block", "block", true, 2},
	{"the beginning of a word", GEV__OPTION_CHOICE, "ares|thread|block", "thr", false, 0},
	{"two words", GEV__OPTION_CHOICE, "ares|thread|block", "ares|thread", false, 0},
	{"a list", GEV__OPTION_LIST, "io|sync|time", "time,io", true, 5},
	{"a list of none", GEV__OPTION_LIST, "io|sync|time", "", true, 0},
	{"a list of all", GEV__OPTION_LIST, "io|sync|time", "all", true, INT64_MAX},
	{"a list with a stranger", GEV__OPTION_LIST, "io|sync|time", "io,tea", false, 0},
};

Test(options, the_ways_to_write_a_value)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gev__option row = {cases[i].kind, "GEV_X", "", cases[i].shape, "."};
		int64_t value = 0;
		bool right = gev__option_parse(&row, cases[i].text, &value);
		cr_expect_eq(right, cases[i].right, "%s", cases[i].desc);
		if (right)
			cr_expect_eq(value, cases[i].value, "%s: %lld", cases[i].desc, (long long)value);
	}
}

static char said[256];

static void hear(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(said, sizeof said, format, args);
	va_end(args);
}

Test(options, texts_and_lists)
{
	const char *text = NULL;
	setenv("GEV_X", "/tmp/x", 1);
	gev__option_read(&(struct gev__option){GEV__OPTION_TEXT, "GEV_X", "", "FILE", "."}, &text, hear);
	cr_expect_str_eq(text, "/tmp/x");
	int64_t mask = -1;
	gev__option_read(&(struct gev__option){GEV__OPTION_LIST, "GEV_X", "", "io|sync", "."}, &mask, hear);
	cr_expect_eq(mask, 0);
	cr_expect_str_eq(said, "GEV_X=/tmp/x: wanted is a list, by commas, of io|sync; taking none");
}
