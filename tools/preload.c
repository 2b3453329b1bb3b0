/* preload.c: puts libpatch.so in front of what is preloaded.
 *
 * Invariant: what LD_PRELOAD held before stays, in its order, behind ours. */
#include "tools/preload.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/beside.h"

#define LIBRARY "libpatch.so"

/* In the order in which they are looked at; the relative ones start from the folder of the command. */
static const char *const places[] = {
	"../shim/" LIBRARY,              /* build/tools/gev */
	GEV_LIBDIR_FROM_BIN "/" LIBRARY, /* installed, perhaps moved since */
	GEV_LIBDIR "/" LIBRARY,          /* installed, and only the command was moved */
	NULL,
};

/* Whether `list`, separated as LD_PRELOAD is, holds the name. */
static bool holds(const char *list, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = list; *at;) {
		size_t n = strcspn(at, ": ");
		if (n == length && memcmp(at, name, n) == 0)
			return true;
		at += n;
		at += strspn(at, ": ");
	}
	return false;
}

int preload(char *why, size_t size)
{
	char *library = find_beside(places);
	if (!library) {
		snprintf(why, size, "cannot find " LIBRARY " beside this command or in " GEV_LIBDIR);
		return -1;
	}
	/* ld.so(8): the list is separated by spaces or colons, and there is no escaping either; $ starts a token. */
	if (strpbrk(library, ": $")) {
		snprintf(why, size,
			 "LD_PRELOAD cannot hold the name '%s': it has a space, a colon or a dollar sign in it",
			 library);
		free(library);
		return -1;
	}

	const char *before = getenv("LD_PRELOAD");
	int result = 0;
	if (!before || !*before) {
		result = setenv("LD_PRELOAD", library, 1);
	} else if (!holds(before, library)) {
		char *list;
		result = asprintf(&list, "%s:%s", library, before);
		if (result >= 0) {
			result = setenv("LD_PRELOAD", list, 1);
			free(list);
		}
	}
	free(library);
	if (result < 0)
		snprintf(why, size, "no memory for LD_PRELOAD");
	return result;
}
