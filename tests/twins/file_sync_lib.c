/* The library of file_sync: storage that takes its time, so that it is known to be slow whatever the machine has. */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "twin.h"

#define OURS __attribute__((visibility("default")))

/* Past libc's sleep: nobody but a real thread gets on meanwhile. libc's own, most of them, are cancellation points (pthreads(7)). */
static void take_time(void)
{
	struct timespec t = {.tv_nsec = 1000000};
	int saved = errno;
	pthread_testcancel();
	check(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL) == 0);
	errno = saved;
}

#define SLOW(name, params, ...)                                                                                        \
	OURS int name params;                                                                                          \
	int name params                                                                                                \
	{                                                                                                              \
		take_time();                                                                                           \
		return (int)syscall(__VA_ARGS__);                                                                      \
	}

SLOW(fsync, (int fd), SYS_fsync, fd)
SLOW(fdatasync, (int fd), SYS_fdatasync, fd)
SLOW(syncfs, (int fd), SYS_syncfs, fd)
SLOW(sync_file_range, (int fd, off_t at, off_t size, unsigned flags), SYS_sync_file_range, fd, at, size, flags)
SLOW(msync, (void *memory, size_t size, int flags), SYS_msync, memory, size, flags)

OURS void sync(void)
{
	take_time();
	syscall(SYS_sync);
}
