/* A cancellation that comes while a thread waits in a call that is no cancellation point: the call ends as it would have, and the thread at the next
 * one that is. */
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "twin.h"

static sem_t here;
static int sockets[2], pipes[2], file, other_file, other_end = -1, semaphores;
static char path[] = "/tmp/twin-held-XXXXXX", fifo[sizeof path + 5];
static FILE *quiet;
static pthread_mutex_t mutex;
static pthread_rwlock_t rwlock;
static pthread_barrier_t barrier;
static struct sembuf take = {0, -1, 0}, give = {0, 1, 0};

static void fill(int fd)
{
	static char block[4096];
	int flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (write(fd, block, sizeof block) > 0) {
	}
	while (write(fd, block, 1) > 0) {
	}
	fcntl(fd, F_SETFL, flags);
}

static void empty(int fd)
{
	static char block[65536];
	int flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (read(fd, block, sizeof block) > 0) {
	}
	fcntl(fd, F_SETFL, flags);
}

/* Each: what main does before, what the thread waits in, and what lets it go on. */
static void fill_socket(void)
{
	fill(sockets[0]);
}
static long send_to_socket(void)
{
	off_t at = 0;
	return sendfile(sockets[0], file, &at, 5);
}
static void empty_socket(void)
{
	empty(sockets[1]);
}

static void fill_pipe(void)
{
	fill(pipes[1]);
}
static long send_to_pipe(void)
{
	off_t at = 0;
	return sendfile(pipes[1], file, &at, 5);
}
static long write_by_number(void)
{
	return syscall(SYS_write, pipes[1], "12345", 5);
}
static void empty_pipe(void)
{
	empty(pipes[0]);
}

static void begin(void)
{
}
static long read_by_number(void)
{
	char bytes[3];
	return syscall(SYS_read, pipes[0], bytes, sizeof bytes);
}
static void feed_pipe(void)
{
	write_all(pipes[1], "abc", 3);
}

static void open_quiet(void)
{
	other_end = open(fifo, O_RDWR);
	quiet = fopen(fifo, "rc");
	check(other_end >= 0 && quiet);
}
static long read_quietly(void)
{
	int c = fgetc(quiet);
	fclose(quiet);
	return c;
}
static void feed_fifo(void)
{
	write_all(other_end, "abc", 3);
}

static void lock_file(void)
{
	check(flock(other_file, LOCK_EX) == 0);
}
static long wait_for_file(void)
{
	return flock(file, LOCK_EX);
}
static void unlock_file(void)
{
	check(flock(other_file, LOCK_UN) == 0);
}

static long take_semaphore(void)
{
	return semop(semaphores, &take, 1);
}
static void give_semaphore(void)
{
	check(semop(semaphores, &give, 1) == 0);
}

static void lock_mutex(void)
{
	pthread_mutex_lock(&mutex);
}
static long wait_for_mutex(void)
{
	int r = pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	return r;
}
static void unlock_mutex(void)
{
	pthread_mutex_unlock(&mutex);
}

static void lock_rwlock(void)
{
	pthread_rwlock_wrlock(&rwlock);
}
static long wait_for_rwlock(void)
{
	int r = pthread_rwlock_rdlock(&rwlock);
	pthread_rwlock_unlock(&rwlock);
	return r;
}
static void unlock_rwlock(void)
{
	pthread_rwlock_unlock(&rwlock);
}

static long wait_at_barrier(void)
{
	int r = pthread_barrier_wait(&barrier);
	return r == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : r;
}
static void come_to_barrier(void)
{
	pthread_barrier_wait(&barrier);
}

static long open_quietly(void)
{
	FILE *f = fopen(fifo, "rc");
	fclose(f);
	return f != NULL;
}
static void open_other_end(void)
{
	close(open(fifo, O_WRONLY));
}

static const struct {
	const char *name;
	void (*before)(void);
	long (*call)(void);
	void (*release)(void);
} calls[] = {
	{"sendfile to a socket", fill_socket, send_to_socket, empty_socket},
	{"sendfile to a pipe", fill_pipe, send_to_pipe, empty_pipe},
	{"syscall(SYS_write)", fill_pipe, write_by_number, empty_pipe},
	{"syscall(SYS_read)", begin, read_by_number, feed_pipe},
	{"fgetc of an uncancellable stream", open_quiet, read_quietly, feed_fifo},
	{"fopen of an uncancellable stream", begin, open_quietly, open_other_end},
	{"flock", lock_file, wait_for_file, unlock_file},
	{"semop", begin, take_semaphore, give_semaphore},
	{"pthread_mutex_lock", lock_mutex, wait_for_mutex, unlock_mutex},
	{"pthread_rwlock_rdlock", lock_rwlock, wait_for_rwlock, unlock_rwlock},
	{"pthread_barrier_wait", begin, wait_at_barrier, come_to_barrier},
};

static void *run(void *arg)
{
	size_t i = (size_t)arg;
	sem_post(&here);
	long r = calls[i].call();
	printf("%s: %ld\n", calls[i].name, r);
	pthread_testcancel();
	puts("never reached");
	return NULL;
}

int main(void)
{
	sem_init(&here, 0, 0);
	stream_pair(sockets);
	check(pipe(pipes) == 0);
	file = mkstemp(path);
	other_file = open(path, O_RDWR);
	snprintf(fifo, sizeof fifo, "%s.fifo", path);
	check(file >= 0 && other_file >= 0 && mkfifo(fifo, 0600) == 0);
	write_all(file, "12345", 5);
	semaphores = semget(IPC_PRIVATE, 1, 0600);
	check(semaphores >= 0);
	pthread_mutex_init(&mutex, NULL);
	pthread_rwlock_init(&rwlock, NULL);
	pthread_barrier_init(&barrier, NULL, 2);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		calls[i].before();
		pthread_t t = spawn(run, (void *)i);
		wait_for(&here);
		if (i == 0)
			report_threads();
		usleep(100); /* it waits by now, or will: it is the same to the call */
		check(pthread_cancel(t) == 0);
		calls[i].release();
		printf("  canceled %d\n", join(t) == PTHREAD_CANCELED);
		empty(pipes[0]);
		close(other_end);
		other_end = -1;
	}
	semctl(semaphores, 0, IPC_RMID);
	unlink(path);
	unlink(fifo);
	return 0;
}
