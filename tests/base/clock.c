/* Seconds become deadlines as gev/gev.h says. */
#include <criterion/criterion.h>

#include "lib/base/clock.h"

static const struct {
	const char *desc;
	double seconds;
	int result;
	int64_t deadline; /* -1: some time ahead */
} rows[] = {
	{"zero does not wait", 0, 0, 0},
	{"less than zero does not wait", -1, 0, 0},
	{"infinity never comes", INFINITY, 0, NEVER},
	{"minus infinity does not wait", -INFINITY, 0, 0},
	{"a century never comes", 3.2e9, 0, NEVER},
	{"NaN is misuse", NAN, -EINVAL, 0},
	{"a second is ahead", 1, 0, -1},
};

Test(clock, deadline)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t before = gev__now(), deadline = 0;
		cr_expect_eq(gev__deadline(rows[i].seconds, &deadline), rows[i].result, "%s", rows[i].desc);
		if (rows[i].deadline >= 0)
			cr_expect_eq(deadline, rows[i].deadline, "%s", rows[i].desc);
		else
			cr_expect(deadline >= before + NS_PER_S && deadline <= gev__now() + NS_PER_S, "%s",
				  rows[i].desc);
	}
}
