/* fsync, fdatasync, sync_file_range, syncfs, sync, msync, and what ioctl asks of storage: until it has it.
 *
 * That takes milliseconds on a disk, and nothing where there is nothing to write or no disk. A real thread for it costs 16 us (measured, as
 * the others here): so it is made where the last such call was slow. The others stay with the caller: reads of files, 0.4 us from
 * the cache and 50 us from the disk (those that have no cache: direct.c), and posix_fallocate, 23 us. */
#include "shim/libc/storage.h"

#include <sys/mman.h>

#include "shim/fds/fds.h"
#include "shim/libc/wait.h"
#include "shim/pthread/aside.h"

enum { SLOW = 200000 }; /* nanoseconds */

struct storing {
	struct patch_aside aside;
	int (*call)(const struct storing *s);
	int fd;
	off_t at, size;
	unsigned flags;
	unsigned long request, argument;
	void *memory;
	bool cancels; /* libc makes it a cancellation point */
	int result;
	int error;
	bool slow;
};

static void store(struct patch_aside *a)
{
	struct storing *s = (struct storing *)(void *)a;
	int64_t began = io_now();
	s->result = s->call(s);
	s->error = errno;
	s->slow = io_now() - began > SLOW;
}

/* `slow`: whether the last one was; this one's answer is left there. */
static int run(struct storing *s, bool *slow)
{
	if (s->cancels)
		io_cancellation_point();
	int saved = errno;
	s->aside.call = store;
	if (!*slow || patch_aside(&s->aside, GEV_PARK_PLAIN) < 0)
		store(&s->aside);
	*slow = s->slow;
	errno = s->result < 0 ? s->error : saved;
	return s->result;
}

/* The file may be closed meanwhile, and its record be another's: then this is soon put right by its own calls. */
static int run_on_file(struct storing *s)
{
	struct description *d = fds_get(s->fd);
	bool slow = d && d->slow_storage;
	int r = run(s, &slow);
	d = fds_peek(s->fd);
	if (d)
		d->slow_storage = slow;
	return r;
}

static int call_fsync(const struct storing *s)
{
	return real.fsync(s->fd);
}

int patch_fsync(int fd)
{
	return patch_green() ? run_on_file(&(struct storing){.call = call_fsync, .fd = fd, .cancels = true})
			     : real.fsync(fd);
}
EXPORT(fsync);

static int call_fdatasync(const struct storing *s)
{
	return real.fdatasync(s->fd);
}

int patch_fdatasync(int fd)
{
	return patch_green() ? run_on_file(&(struct storing){.call = call_fdatasync, .fd = fd, .cancels = true})
			     : real.fdatasync(fd);
}
EXPORT(fdatasync);

static int call_range(const struct storing *s)
{
	return real.sync_file_range(s->fd, s->at, s->size, s->flags);
}

int patch_sync_file_range(int fd, off_t at, off_t size, unsigned flags)
{
	struct storing s = {.call = call_range, .fd = fd, .at = at, .size = size, .flags = flags, .cancels = true};
	return patch_green() ? run_on_file(&s) : real.sync_file_range(fd, at, size, flags);
}
EXPORT(sync_file_range);

static int call_syncfs(const struct storing *s)
{
	return real.syncfs(s->fd);
}

int patch_syncfs(int fd)
{
	return patch_green() ? run_on_file(&(struct storing){.call = call_syncfs, .fd = fd}) : real.syncfs(fd);
}
EXPORT(syncfs);

static int call_sync(const struct storing *s)
{
	real.sync();
	return 0;
}

void patch_sync(void)
{
	bool slow = true;
	if (patch_green())
		run(&(struct storing){.call = call_sync}, &slow);
	else
		real.sync();
}
EXPORT(sync);

static int call_msync(const struct storing *s)
{
	return real.msync(s->memory, (size_t)s->size, (int)s->flags);
}

int patch_msync(void *memory, size_t size, int flags)
{
	static bool slow;
	struct storing s = {
		.call = call_msync, .memory = memory, .size = (off_t)size, .flags = (unsigned)flags, .cancels = true};
	return patch_green() && (flags & MS_SYNC) ? run(&s, &slow) : real.msync(memory, size, flags);
}
EXPORT(msync);

static int call_request(const struct storing *s)
{
	return real.ioctl(s->fd, s->request, s->argument);
}

int storage_request(int fd, unsigned long request, unsigned long arg)
{
	bool slow = true;
	struct storing s = {.call = call_request, .fd = fd, .request = request, .argument = arg};
	return patch_green() ? run(&s, &slow) : real.ioctl(fd, request, arg);
}
