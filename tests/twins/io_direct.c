/* Files without the page cache, from several threads at once: what was written is read, at every offset and from the end on; and what they refuse.
 * Where the file system of the folder knows nothing of it, one of another folder serves. */
#include <limits.h>
#include <sys/uio.h>

#include "twin.h"

enum { THREADS = 4, BLOCK = 4096, BLOCKS = 8 };

ssize_t __pread_chk(int fd, void *buf, size_t n, off_t at, size_t room);

static int open_direct(const char *name, int flags)
{
	static const char *const folders[] = {".", "/var/tmp", "/tmp", "/dev/shm"};
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%s/%s-%d", folders[i], name, (int)getpid());
		int fd = open(path, O_RDWR | O_CREAT | O_DIRECT | flags, 0600);
		if (fd < 0 && errno == EINVAL)
			fd = -1;
		unlink(path); /* where it was refused, too, it has been made */
		if (fd >= 0)
			return fd;
	}
	check(!"a file system that knows O_DIRECT");
	return -1;
}

static char *block(char fill)
{
	void *memory;
	check(posix_memalign(&memory, BLOCK, BLOCK) == 0);
	memset(memory, fill, BLOCK);
	return memory;
}

/* Each writes blocks of its own and reads them back, in all ways. */
static void *keep(void *arg)
{
	char name[20], letter = (char)('a' + (long)arg), *a = block(letter), *b = block('-'), *c = block('-');
	struct iovec one = {a, BLOCK}, two[2] = {{b, BLOCK}, {c, BLOCK}};
	snprintf(name, sizeof name, "direct-%c", letter);
	int fd = open_direct(name, arg ? O_NONBLOCK : 0);
	errno = 7;
	for (int i = 0; i < BLOCKS; i += 4) {
		off_t at = i * (off_t)BLOCK;
		a[0] = (char)('0' + i);
		check(pwrite(fd, a, BLOCK, at) == BLOCK);
		check(pwritev(fd, &one, 1, at + BLOCK) == BLOCK);
		check(lseek(fd, at + 2 * BLOCK, SEEK_SET) == at + 2 * BLOCK);
		check(write(fd, a, BLOCK) == BLOCK && writev(fd, &one, 1) == BLOCK);
	}
	for (int i = 0; i < BLOCKS; i += 4) {
		off_t at = i * (off_t)BLOCK;
		a[0] = (char)('0' + i);
		check(pread(fd, b, BLOCK, at) == BLOCK && memcmp(a, b, BLOCK) == 0);
		check(__pread_chk(fd, c, BLOCK, at + BLOCK, BLOCK) == BLOCK && memcmp(a, c, BLOCK) == 0);
		memset(b, '-', BLOCK);
		memset(c, '-', BLOCK);
		check(preadv(fd, two, 2, at) == 2 * BLOCK && memcmp(a, b, BLOCK) == 0 && memcmp(a, c, BLOCK) == 0);
		check(lseek(fd, at + 2 * BLOCK, SEEK_SET) == at + 2 * BLOCK);
		memset(b, '-', BLOCK);
		check(read(fd, b, BLOCK) == BLOCK && memcmp(a, b, BLOCK) == 0);
		one.iov_base = c;
		check(readv(fd, &one, 1) == BLOCK && memcmp(a, c, BLOCK) == 0);
	}
	check(lseek(fd, 0, SEEK_CUR) == BLOCKS * BLOCK && read(fd, b, BLOCK) == 0);
	check(pread(fd, b, BLOCK, BLOCKS * BLOCK) == 0 && pread(fd, b, BLOCK, BLOCKS * BLOCK - BLOCK) == BLOCK);
	check(errno == 7);
	close(fd);
	free(a);
	free(b);
	free(c);
	return NULL;
}

static void *cancelled(void *arg)
{
	char *memory = block('-');
	pthread_cleanup_push(free, memory);
	pthread_cancel(pthread_self());
	pread((int)(long)arg, memory, BLOCK, 0);
	pthread_cleanup_pop(1);
	return NULL;
}

int main(void)
{
	sem_t go;
	pthread_t t[THREADS];
	char *memory = block('x'), *volatile nowhere = (char *)BLOCK;
	sem_init(&go, 0, 0);
	pthread_t parked = spawn(parked_until, &go);
	report_threads();
	beside_begin();
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(keep, (void *)i);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);

	/* Switched on and off, which the file's other number shows too. */
	int fd = open_direct("direct", 0), copy = dup(fd);
	show(pwrite(fd, memory, BLOCK, 0));
	show(pread(copy, memory, BLOCK, -1));
	show(pread(copy, nowhere, BLOCK, 0));
	show(preadv(copy, (struct iovec *)nowhere, 1, 0));
	check(join(spawn(cancelled, (void *)(long)fd)) == PTHREAD_CANCELED);
	show(fcntl(fd, F_GETFL) & (O_DIRECT | O_NONBLOCK));
	show(fcntl(fd, F_SETFL, O_NONBLOCK));
	show(fcntl(copy, F_GETFL) & (O_DIRECT | O_NONBLOCK));
	show(pread(copy, memory + 1, 10, 1));
	show(fcntl(copy, F_SETFL, O_DIRECT));
	show(fcntl(fd, F_GETFL) & (O_DIRECT | O_NONBLOCK));
	show(pread(fd, memory, BLOCK, 0));
	close(fd);
	close(copy);
	show(pread(fd, memory, BLOCK, 0));
	free(memory);
	beside_end();
	sem_post(&go);
	join(parked);
	return 0;
}
