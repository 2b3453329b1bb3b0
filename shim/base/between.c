/* Libraries that stand between us and libc and may make their calls by number (syscall(2)).
 *
 * Our originals end in such a library, and what it calls by number must end in the kernel: led to our wrapper of that call, it would come back to the
 * library for ever. Where it ends in a jump and so did we, the caller is not known, and it comes back once. Nearly always there is no such library, and nothing here costs anything. */
#include "shim/base/between.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/base/next.h"

/* The functions that are called past libc (in shim/libc/kernel.h, and by libc itself for recv and send), and what else shim/libc/numbers.c,
 * numbers_waits.c and shim/pthread/syscall.c know by number. */
static const char *const past_libc[] = {
	"read", "write", "readv", "writev", "recv", "send", "recvfrom", "sendto", "recvmsg", "sendmsg",
};
static const char *const others[] = {
	"recvmmsg",
	"sendmmsg",
	"accept",
	"accept4",
	"connect",
	"sendfile",
	"splice",
	"flock",
	"poll",
	"wait4",
	"epoll_wait",
	"epoll_pwait",
	"nanosleep",
	"close",
	"dup",
	"dup2",
	"dup3",
	"fcntl",
	"fcntl64",
	"ioctl",
	"shutdown",
	"listen",
	"socket",
	"pipe2",
	"setsockopt",
	"eventfd",
	"socketpair",
	"openat",
	"close_range",
	"gettid",
	"ppoll",
	"pselect",
	"select",
	"epoll_pwait2",
	"clock_nanosleep",
	"waitid",
	"pause",
	"sigsuspend",
	"sigtimedwait",
	"preadv2",
	"pwritev2",
	"vmsplice",
	"tee",
	"open",
	"creat",
	"fsync",
	"fdatasync",
	"syncfs",
	"sync",
	"sync_file_range",
	"msync",
	"getrandom",
	"mq_timedsend",
	"mq_timedreceive",
	"msgsnd",
	"msgrcv",
	"semop",
	"semtimedop",
};

bool patch_above_another;

enum { PAST_LIBC = sizeof past_libc / sizeof *past_libc, OTHERS = sizeof others / sizeof *others, MOST = 16 };
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

static bool note_if_anothers(const char *name)
{
	if (!patch_next_is_anothers(name))
		return false;
	uintptr_t at = (uintptr_t)patch_next(name, NULL);
	if (!patch_between((const void *)at))
		dl_iterate_phdr(note, (void *)at);
	return true;
}

void patch_between_start(void)
{
	for (size_t i = 0; i < PAST_LIBC; i++)
		patch_above_another |= note_if_anothers(past_libc[i]);
	for (size_t i = 0; i < OTHERS; i++)
		note_if_anothers(others[i]);
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
	bool will = false;
	for (size_t i = 0; i < PAST_LIBC && !will; i++)
		will = patch_next_is_anothers(past_libc[i]);
	for (size_t i = 0; i < OTHERS && !will; i++)
		will = patch_next_is_anothers(others[i]);
	return will;
}

bool patch_between(const void *code)
{
	for (size_t i = 0; i < n_ranges; i++)
		if ((uintptr_t)code >= ranges[i].from && (uintptr_t)code < ranges[i].to)
			return true;
	return false;
}
