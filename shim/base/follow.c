/* The environment that a program's children inherit.
 *
 * The text is changed where it lies: nothing may be allocated here, because the program's own malloc is not ready before main, and
 * setenv would call it. It only becomes shorter. */
#include "shim/base/follow.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shim/base/options.h"

static bool is_ours(const char *entry, size_t length)
{
	static const char name[] = "libpatch.so";
	size_t n = sizeof name - 1;
	return length >= n && memcmp(entry + length - n, name, n) == 0 && (length == n || entry[length - n - 1] == '/');
}

void patch_follow(void)
{
	if (patch_options()->follow)
		return;
	char *list = getenv("LD_PRELOAD");
	if (list == NULL)
		return;
	char *to = list;
	for (const char *at = list; *at;) {
		/* ld.so(8): separated by spaces or colons. */
		size_t length = strcspn(at, ": ");
		if (length && !is_ours(at, length)) {
			if (to != list)
				*to++ = ':';
			memmove(to, at, length);
			to += length;
		}
		at += length;
		at += *at != '\0';
	}
	*to = '\0';
}
