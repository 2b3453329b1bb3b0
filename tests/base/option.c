/* Options: defaults, values from the environment, and wrong values. Each test is its own process. */
#include <criterion/criterion.h>

#include "lib/base/option.h"

#include <stdlib.h>

Test(option, defaults)
{
	unsetenv("GEV_STACK_SIZE");
	cr_expect_eq(gev__options()->stack_size, 256 * 1024);
	cr_expect_eq(gev__options()->guard, 1);
}

Test(option, given)
{
	setenv("GEV_STACK_SIZE", "65536", 1);
	setenv("GEV_GUARD", "0", 1);
	cr_expect_eq(gev__options()->stack_size, 65536);
	cr_expect_eq(gev__options()->guard, 0);
}

Test(option, wrong_values_keep_the_default)
{
	setenv("GEV_STACK_SIZE", "big", 1);
	setenv("GEV_STACK_CACHE", "-1", 1);
	setenv("GEV_GUARD", "2", 1);
	cr_expect_eq(gev__options()->stack_size, 256 * 1024);
	cr_expect_eq(gev__options()->stack_cache, 256);
	cr_expect_eq(gev__options()->guard, 1);
}
