/* beside.c: where the parts of an installation or a build tree are. */
#include "tools/beside.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *own_path(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = '\0';
	return strdup(self);
}

char *find_beside(const char *const *places)
{
	char *self = own_path();
	char *slash = self ? strrchr(self, '/') : NULL;
	if (slash)
		slash[1] = '\0';
	char *found = NULL;
	for (; *places && !found; places++) {
		char *place;
		if (asprintf(&place, "%s%s", **places == '/' || !self ? "" : self, *places) < 0)
			break;
		found = realpath(place, NULL);
		free(place);
		if (found && access(found, R_OK) != 0) {
			free(found);
			found = NULL;
		}
	}
	free(self);
	return found;
}
