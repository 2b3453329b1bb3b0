/* register_printf_specifier: letters of the program's own for printf (printf.h). What prints them are functions of the program's, which libc calls
 * in the midst of printf, with its lock of the stream. They may park, and compute for longer than a time slice. */
#include <limits.h>
#include <printf.h>

#include "shim/stdio/stream.h"

/* As the program gave them, by letter. Those for what a type is (register_printf_type) only fetch a value, and are not led here. */
static struct {
	printf_function *print;
	printf_arginfo_size_function *info;
} given[UCHAR_MAX + 1];

static int print_outside(FILE *f, const struct printf_info *info, const void *const *args)
{
	struct stream_yield y;
	bool yields = streams_ours;
	if (yields)
		stream_yield(&y, NULL);
	int r = given[(unsigned char)info->spec].print(f, info, args);
	if (yields)
		stream_resume(&y);
	return r;
}

/* Both kinds of what says which arguments there are: the older takes no sizes. */
static int info_outside(const struct printf_info *info, size_t n, int *types, int *sizes)
{
	struct stream_yield y;
	bool yields = streams_ours;
	if (yields)
		stream_yield(&y, NULL);
	int r = given[(unsigned char)info->spec].info(info, n, types, sizes);
	if (yields)
		stream_resume(&y);
	return r;
}

int patch_register_printf_specifier(int letter, printf_function *print, printf_arginfo_size_function *info)
{
	if (letter >= 0 && letter <= UCHAR_MAX) {
		given[letter].print = print;
		given[letter].info = info;
	}
	return real.register_printf_specifier(letter, print ? print_outside : NULL, info ? info_outside : NULL);
}
EXPORT(register_printf_specifier);
EXPORT_AS(register_printf_function, register_printf_specifier);
