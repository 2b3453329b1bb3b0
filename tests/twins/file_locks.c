/* Locks on files that threads wait for: held by another thread's description (flock, open file description locks) or by
 * another process (record locks). Who waits lets others go on; a deadlock is found; a handler interrupts or not; and
 * what was interrupted or cancelled has not taken the lock, then or later. */
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "twin.h"

static sem_t here;
static volatile int handled;

static int opened(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	check(fd >= 0);
	return fd;
}

static int record(int fd, int command, short type, off_t start)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};
	return fcntl(fd, command, &lock);
}

/* How many wait for a lock on the file, as the kernel has it (proc(5), /proc/locks). */
static int waiters(void)
{
	char line[200], inode[32];
	struct stat st;
	int n = 0;
	check(stat("file", &st) == 0);
	snprintf(inode, sizeof inode, ":%lu ", (unsigned long)st.st_ino);
	FILE *f = fopen("/proc/locks", "r");
	check(f != NULL);
	while (fgets(line, sizeof line, f))
		n += strstr(line, "->") && strstr(line, inode);
	fclose(f);
	return n;
}

static void await_waiters(int n)
{
	while (waiters() != n)
		usleep(500);
}

/* ---- The ways to wait ---- */

static int by_flock(int fd)
{
	return flock(fd, LOCK_EX);
}

static int by_description(int fd)
{
	return record(fd, F_OFD_SETLKW, F_WRLCK, 0);
}

static int by_record(int fd)
{
	return record(fd, F_SETLKW, F_WRLCK, 0);
}

static int by_lockf(int fd)
{
	return lockf(fd, F_LOCK, 1);
}

struct way {
	const char *name;
	int (*lock)(int fd);
	int (*hold)(int fd);
	bool cancels; /* libc makes it a cancellation point */
};
static const struct way ways[] = {
	{"flock", by_flock, by_flock, false},
	{"open file description", by_description, by_description, true},
	{"record", by_record, by_record, true},
	{"lockf", by_lockf, by_record, true},
};

/* Another process holds the lock until it is sent a byte. */
struct holder {
	pid_t pid;
	int told;
};

static struct holder hold(const struct way *way)
{
	int fd[2];
	char byte;
	stream_pair(fd);
	struct holder h = {.pid = fork(), .told = fd[0]};
	if (h.pid == 0) {
		check(way->hold(opened()) == 0);
		write_all(fd[1], "h", 1);
		read_all(fd[1], &byte, 1);
		_exit(0);
	}
	close(fd[1]);
	read_all(h.told, &byte, 1);
	return h;
}

static void let_go(struct holder *h)
{
	write_all(h->told, "g", 1);
	check(waitpid(h->pid, NULL, 0) == h->pid);
	close(h->told);
}

/* Whether yet another process gets it at once. */
static bool is_free(const struct way *way)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		int fd = opened();
		int r = way->lock == by_flock ? flock(fd, LOCK_EX | LOCK_NB) : record(fd, F_SETLK, F_WRLCK, 0);
		_exit(r < 0);
	}
	check(waitpid(pid, &status, 0) == pid);
	return WEXITSTATUS(status) == 0;
}

struct waiter {
	const struct way *way;
	int fd;
};

static void *wait_lock(void *arg)
{
	struct waiter *w = arg;
	sem_post(&here);
	return (void *)(long)(w->way->lock(w->fd) == 0 ? 0 : errno);
}

static void waits(const struct way *way)
{
	struct holder h = hold(way);
	struct waiter w = {way, opened()};
	pthread_t t = spawn(wait_lock, &w);
	wait_for(&here);
	await_waiters(1);
	let_go(&h);
	check(join(t) == NULL && !is_free(way));
	close(w.fd);
	check(is_free(way));
	printf("%s: waited, has it, gave it back\n", way->name);
}

static void on_signal(int sig)
{
	handled++;
}

static void interrupted(const struct way *way, int flags)
{
	struct sigaction a = {.sa_handler = on_signal, .sa_flags = flags};
	struct holder h = hold(way);
	struct waiter w = {way, opened()};
	sigaction(SIGUSR1, &a, NULL);
	handled = 0;
	pthread_t t = spawn(wait_lock, &w);
	wait_for(&here);
	await_waiters(1);
	pthread_kill(t, SIGUSR1);
	if (flags) {
		while (handled == 0)
			usleep(100);
		await_waiters(1);
		let_go(&h);
		check(join(t) == NULL && !is_free(way));
		printf("%s: restarted\n", way->name);
	} else {
		printf("%s: %s\n", way->name, strerrorname_np((int)(long)join(t)));
		let_go(&h);
		check(is_free(way));
	}
	close(w.fd);
}

static void cancelled(const struct way *way)
{
	struct holder h = hold(way);
	struct waiter w = {way, opened()};
	pthread_t t = spawn(wait_lock, &w);
	wait_for(&here);
	await_waiters(1);
	pthread_cancel(t);
	if (way->cancels)
		check(join(t) == PTHREAD_CANCELED && waiters() == 0);
	let_go(&h);
	if (!way->cancels)
		check(join(t) == NULL && !is_free(way));
	else
		check(is_free(way));
	close(w.fd);
	printf("%s: cancelled, %s\n", way->name, way->cancels ? "and has taken nothing" : "and waits on");
}

/* A signal while the lock becomes free: either it was taken or it was not, and the answer says which. */
static void at_the_same_time(const struct way *way)
{
	struct sigaction a = {.sa_handler = on_signal};
	sigaction(SIGUSR1, &a, NULL);
	for (int i = 0; i < 20; i++) {
		struct holder h = hold(way);
		struct waiter w = {way, opened()};
		pthread_t t = spawn(wait_lock, &w);
		wait_for(&here);
		await_waiters(1);
		write_all(h.told, "g", 1);
		if (i % 2)
			usleep((useconds_t)i * 10);
		pthread_kill(t, SIGUSR1);
		int error = (int)(long)join(t);
		check(error == 0 || error == EINTR);
		check(waitpid(h.pid, NULL, 0) == h.pid);
		check(is_free(way) == (error != 0));
		close(h.told);
		close(w.fd);
	}
	printf("%s: taken or not\n", way->name);
}

/* ---- One of a kind ---- */

/* Two threads, two descriptions: no other process is needed. */
static void between_threads(const struct way *way)
{
	struct waiter w = {way, opened()};
	int fd = opened();
	check(way->lock(fd) == 0);
	pthread_t t = spawn(wait_lock, &w);
	wait_for(&here);
	await_waiters(1);
	close(fd);
	check(join(t) == NULL);
	close(w.fd);
	printf("%s: from thread to thread\n", way->name);
}

static void *wait_second(void *arg)
{
	sem_post(&here);
	return (void *)(long)(record((int)(long)arg, F_SETLKW, F_WRLCK, 1) == 0 ? 0 : errno);
}

/* The other process has byte 1 and wants 0, which is ours; we want 1. */
static void deadlock(void)
{
	int pair[2], status, fd = opened();
	char byte;
	stream_pair(pair);
	check(record(fd, F_SETLK, F_WRLCK, 0) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		int own = opened();
		check(record(own, F_SETLK, F_WRLCK, 1) == 0);
		write_all(pair[1], "h", 1);
		check(record(own, F_SETLKW, F_WRLCK, 0) == 0);
		_exit(5);
	}
	read_all(pair[0], &byte, 1);
	await_waiters(1);
	printf("deadlock: %s\n", strerrorname_np((int)(long)join(spawn(wait_second, (void *)(long)fd))));
	wait_for(&here);
	check(record(fd, F_SETLK, F_UNLCK, 0) == 0);
	check(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

static void at_once(void)
{
	int a = opened(), b = opened();
	show(flock(a, LOCK_SH));
	show(flock(b, LOCK_SH));
	show(flock(a, LOCK_EX | LOCK_NB));
	show(flock(b, LOCK_UN));
	show(flock(a, 99));
	show(flock(-1, LOCK_EX));
	show(record(a, F_SETLKW, F_WRLCK, 0));
	show(record(b, F_SETLKW, F_WRLCK, 0)); /* the process has it already */
	show(record(a, F_SETLKW, 77, 0));
	show(lockf(a, F_TEST, 1));
	show(lockf(a, F_ULOCK, 0));
	show(lockf(a, F_TLOCK, 1));
	show(lockf(a, F_LOCK, -10));
	close(a);
	close(b);
}

int main(void)
{
	sem_t go;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t parked = spawn(parked_until, &go);
	close(opened());
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		waits(&ways[i]);
		interrupted(&ways[i], SA_RESTART);
		interrupted(&ways[i], 0);
		cancelled(&ways[i]);
		at_the_same_time(&ways[i]);
	}
	between_threads(&ways[0]);
	between_threads(&ways[1]);
	deadlock();
	at_once();
	check(unlink("file") == 0);
	sem_post(&go);
	join(parked);
	return 0;
}
