/* backtrace_symbols_fd: as libc does it (debug/backtracesymsfd.c), a line and a write for each address, but by the cooperative write. Nothing is
 * allocated, because it is called from handlers of crashes. */
#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/uio.h>

#include "shim/libc/wait.h"
#include "shim/stdio/stream.h"

enum { DIGITS = 2 * sizeof(void *) };

struct line {
	struct iovec parts[10];
	int n;
};

static void add(struct line *l, const char *text)
{
	l->parts[l->n++] = (struct iovec){(void *)text, strlen(text)};
}

/* `room` ends with a NUL; what is written in front of it. */
static const char *hexadecimal(char room[DIGITS + 1], uintptr_t value)
{
	char *at = room + DIGITS;
	*at = '\0';
	do
		*--at = "0123456789abcdef"[value % 16];
	while ((value /= 16) != 0);
	return at;
}

static void write_line(int fd, const char *address)
{
	char distance[DIGITS + 1], place[DIGITS + 1];
	struct line l = {.n = 0};
	struct link_map *map;
	Dl_info about;
	if (dladdr1(address, &about, (void **)&map, RTLD_DL_LINKMAP) && about.dli_fname && *about.dli_fname) {
		const char *start = about.dli_sname ? about.dli_saddr : (const char *)map->l_addr;
		add(&l, about.dli_fname);
		if (about.dli_sname || map->l_addr) {
			add(&l, "(");
			if (about.dli_sname)
				add(&l, about.dli_sname);
			add(&l, address >= start ? "+0x" : "-0x");
			add(&l,
			    hexadecimal(distance, (uintptr_t)(address >= start ? address - start : start - address)));
			add(&l, ")");
		}
	}
	add(&l, "[0x");
	add(&l, hexadecimal(place, (uintptr_t)address));
	add(&l, "]\n");
	patch_writev(fd, l.parts, l.n);
}

void patch_backtrace_symbols_fd(void *const *addresses, int n, int fd)
{
	if (!streams_ours || !patch_green()) {
		real.backtrace_symbols_fd(addresses, n, fd);
		return;
	}
	for (int i = 0; i < n; i++)
		write_line(fd, addresses[i]);
}
EXPORT(backtrace_symbols_fd);
EXPORT_AS(__backtrace_symbols_fd, backtrace_symbols_fd);
