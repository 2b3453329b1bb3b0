/* The table of libc calls: who replaces an entry is called, and calls that fail are reported, not swallowed. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/sys.h"

static int closed;

static int count_close(int fd)
{
	closed++;
	return close(fd);
}

static void *original(const char *name)
{
	return strcmp(name, "close") == 0 ? (void *)count_close : NULL;
}

Test(sys, a_replaced_entry_is_called_and_the_others_stay)
{
	gev__sys_set(original);
	int fds[2];
	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(gev_close(fds[0]), 0);
	cr_expect_eq(gev_close(fds[1]), 0);
	cr_expect_eq(closed, 2);
	cr_expect_eq(gev__sys.fcntl(0, 12345, 0), -1); /* reaches the kernel */
}

static void *no_memory(void *address, size_t n, int protection, int flags, int fd, off_t offset)
{
	errno = ENOMEM;
	return MAP_FAILED;
}

static void *nothing(void *arg)
{
	return arg;
}

Test(sys, no_stack_is_EAGAIN)
{
	cr_assert_eq(gev_sleep(0), 0); /* the hub has its stack */
	gev__sys.mmap = no_memory;
	errno = 0;
	cr_expect_null(gev_spawn(nothing, NULL));
	cr_expect_eq(errno, EAGAIN);
}

static int too_many(unsigned value, int flags)
{
	errno = EMFILE;
	return -1;
}

Test(sys, no_descriptor_for_the_loop_is_EMFILE)
{
	gev__sys.eventfd = too_many;
	int fds[2];
	cr_assert_eq(pipe(fds), 0);
	char c;
	errno = 0;
	cr_expect_eq(gev_read(fds[0], &c, 1, 0.01), -1);
	cr_expect_eq(errno, EMFILE);
}
