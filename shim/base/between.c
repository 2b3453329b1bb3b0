/* Libraries that stand between us and libc and may make their calls by number (syscall(2)).
 *
 * Our originals end in such a library, and what it calls by number must end in the kernel: led to our wrapper of that call, it would come back to the
 * library for ever. Where it ends in a jump and so did we, the caller is not known, and it comes back once. Nearly always there is no such library, and nothing here costs anything. */
#include "shim/base/between.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/base/next.h"

/* The functions that shim/libc/numbers.c knows by number, gettid, and those that are called past libc: in shim/libc/kernel.h, and by libc itself for
 * recv and send. */
static const struct {
	char name[12];
	bool past_libc;
} functions[] = {
	{"read", true},        {"write", true},        {"readv", true},        {"writev", true},
	{"recv", true},        {"send", true},         {"recvfrom", true},     {"sendto", true},
	{"recvmsg", true},     {"sendmsg", true},      {"recvmmsg", false},    {"sendmmsg", false},
	{"accept", false},     {"accept4", false},     {"connect", false},     {"sendfile", false},
	{"splice", false},     {"flock", false},       {"poll", false},        {"wait4", false},
	{"epoll_wait", false}, {"epoll_pwait", false}, {"nanosleep", false},   {"close", false},
	{"dup", false},        {"dup2", false},        {"dup3", false},        {"fcntl", false},
	{"fcntl64", false},    {"ioctl", false},       {"shutdown", false},    {"listen", false},
	{"socket", false},     {"pipe2", false},       {"setsockopt", false},  {"eventfd", false},
	{"socketpair", false}, {"openat", false},      {"close_range", false}, {"gettid", false},
};

bool patch_above_another;

enum { MOST = 16 };
static struct range {
	uintptr_t from, to;
} ranges[MOST];
static size_t n_ranges;

static bool holds(const struct dl_phdr_info *info, uintptr_t at, struct range *range)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		range->from = info->dlpi_addr + p->p_vaddr;
		range->to = range->from + p->p_memsz;
		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) && at >= range->from && at < range->to)
			return true;
	}
	return false;
}

static int note(struct dl_phdr_info *info, size_t size, void *at)
{
	struct range range;
	if (!holds(info, (uintptr_t)at, &range))
		return 0;
	if (n_ranges < MOST)
		ranges[n_ranges++] = range;
	return 1;
}

static void note_if_anothers(const char *name, bool past_libc)
{
	if (!patch_next_is_anothers(name))
		return;
	patch_above_another |= past_libc;
	uintptr_t at = (uintptr_t)patch_next(name, NULL);
	if (!patch_between((const void *)at))
		dl_iterate_phdr(note, (void *)at);
}

void patch_between_start(void)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		note_if_anothers(functions[i].name, functions[i].past_libc);
	/* Where such a function ends in a jump, it is our call of it that would be returned to. */
	if (n_ranges > 0)
		dl_iterate_phdr(note, (void *)(uintptr_t)patch_between_start);
}

bool patch_between_any(void)
{
	return n_ranges > 0;
}

bool patch_between_will_be(void)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (patch_next_is_anothers(functions[i].name))
			return true;
	return false;
}

bool patch_between(const void *code)
{
	for (size_t i = 0; i < n_ranges; i++)
		if ((uintptr_t)code >= ranges[i].from && (uintptr_t)code < ranges[i].to)
			return true;
	return false;
}
