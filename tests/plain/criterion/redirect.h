/* redirect.h: what a test says on standard error: part of criterion.h here. */
#include <criterion/criterion.h>
