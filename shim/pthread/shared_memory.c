/* Whether memory can be another process's too: what a wait that may be ended from outside needs to know.
 *
 * Many programs leave FUTEX_PRIVATE_FLAG out where they could set it. Only the kernel knows whether the memory under a word
 * is shared; it says so in /proc/self/maps (proc_pid_maps(5)): the fourth letter of the permissions. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "shim/pthread/shared_memory.h"
#include "shim/pthread/thread.h"

struct reader {
	int fd;
	size_t at, end;
	char buffer[4096];
};

/* The next line without its tail, if that is longer than the room. NULL: no more. */
static const char *next_line(struct reader *r, char *line, size_t room)
{
	size_t n = 0;
	for (;;) {
		if (r->at == r->end) {
			ssize_t got = real.read(r->fd, r->buffer, sizeof r->buffer);
			if (got <= 0)
				return NULL;
			r->at = 0;
			r->end = (size_t)got;
		}
		char c = r->buffer[r->at++];
		if (c == '\n')
			break;
		if (n + 1 < room)
			line[n++] = c;
	}
	line[n] = '\0';
	return line;
}

bool patch_memory_shared(const void *address)
{
	int saved = errno;
	bool shared = true; /* not known: look as if it were */
	char line[64];
	struct reader r = {.fd = real.open("/proc/self/maps", O_RDONLY | O_CLOEXEC, 0)};
	if (r.fd >= 0) {
		while (next_line(&r, line, sizeof line)) {
			char *rest;
			uintptr_t first = strtoull(line, &rest, 16);
			uintptr_t end = *rest == '-' ? strtoull(rest + 1, &rest, 16) : 0;
			if ((uintptr_t)address < first || (uintptr_t)address >= end)
				continue;
			shared = strlen(rest) < 5 || rest[4] != 'p';
			break;
		}
		real.close(r.fd);
	}
	errno = saved;
	return shared;
}
