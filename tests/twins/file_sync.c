/* fsync and its kin from several threads at once, again and again, so that slow storage is known as such; and what they refuse. */
#include <sys/mman.h>

#include "twin.h"

enum { THREADS = 4, ROUNDS = 5 };

static void *keep(void *arg)
{
	char name[20], page[4096] = "x";
	snprintf(name, sizeof name, "file-%ld", (long)arg);
	int fd = open(name, O_RDWR | O_CREAT, 0600);
	check(fd >= 0);
	for (int i = 0; i < ROUNDS; i++) {
		errno = 7;
		check(pwrite(fd, page, sizeof page, i * (off_t)sizeof page) == sizeof page);
		check(fsync(fd) == 0);
		check(pwrite(fd, page, 10, 0) == 10);
		check(fdatasync(fd) == 0);
		check(pwrite(fd, page, 20, 0) == 20);
		check(sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) == 0);
		check(errno == 7);
	}
	char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(memory != MAP_FAILED);
	memory[0] = 'y';
	check(msync(memory, 4096, MS_SYNC) == 0 && msync(memory, 4096, MS_ASYNC) == 0);
	munmap(memory, 4096);
	close(fd);
	check(unlink(name) == 0);
	return NULL;
}

static void *cancelled(void *arg)
{
	pthread_cancel(pthread_self());
	fsync((int)(long)arg);
	return NULL;
}

int main(void)
{
	sem_t go;
	int pipe_fd[2];
	pthread_t t[THREADS];
	sem_init(&go, 0, 0);
	pthread_t parked = spawn(parked_until, &go);
	report_threads();
	beside_begin();
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(keep, (void *)i);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	check(pipe(pipe_fd) == 0);
	show(fsync(-1));
	show(fsync(pipe_fd[0]));
	show(fdatasync(pipe_fd[0]));
	show(sync_file_range(pipe_fd[0], 0, 0, 0));
	show(sync_file_range(pipe_fd[0], -1, 0, 99));
	show(syncfs(-1));
	show(msync((void *)1, 4096, MS_SYNC));
	show(msync(NULL, 4096, MS_SYNC | MS_ASYNC));
	check(join(spawn(cancelled, (void *)(long)pipe_fd[0])) == PTHREAD_CANCELED);
	int directory = open(".", O_RDONLY);
	for (int i = 0; i < 2; i++) {
		show(syncfs(directory));
		sync();
	}
	close(directory);
	beside_end();
	sem_post(&go);
	join(parked);
	return 0;
}
