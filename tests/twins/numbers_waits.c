/* syscall(2), by the number of each call that waits: it parks as libc's function does, and answers as the bare call: with the time that is left, with -1
 * where libc's has an error number, and nobody is cancelled in it. A thread is in the call; what ends its wait is done by another. */
#include <linux/io_uring.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "twin.h"

enum { SET = 8 }; /* bytes of the kernel's signal sets */

static sem_t here;
static int way[2], other[2], set_id, queue_id, epoll;
static mqd_t mq;
static pid_t child;
static pthread_t caller;
static char byte, bytes[8192] __attribute__((aligned(4096)));
static struct iovec one = {&byte, 1}, page = {bytes, 4096}, many = {bytes, sizeof bytes};
static struct {
	long type;
	char text[8];
} message;
static uint64_t usr1 = UINT64_C(1) << (SIGUSR1 - 1), all_but_usr1 = ~(UINT64_C(1) << (SIGUSR1 - 1));

static struct timespec hour = {3600, 0}, short_time = {0, 2000000};
/* In memory to which nobody can write: the time that is left is not told. */
static const struct timespec constant = {0, 2000000};
static const struct timeval constant_too = {0, 2000};

static void handler(int sig)
{
}

/* What waits, */
static long in_poll(void)
{
	struct pollfd p = {way[0], POLLIN, 0};
	return syscall(SYS_ppoll, &p, 1, NULL, NULL, SET);
}

static long in_poll_timed(void)
{
	struct pollfd p = {way[0], POLLIN, 0};
	struct timespec t = hour;
	long r = syscall(SYS_ppoll, &p, 1, &t, &usr1, SET);
	return r * 10 + (t.tv_sec < 3600);
}

static long in_select(void)
{
	fd_set in;
	struct timespec t = hour;
	FD_ZERO(&in);
	FD_SET(way[0], &in);
	const struct {
		const void *set;
		size_t size;
	} mask = {&usr1, SET};
	long r = syscall(SYS_pselect6, way[0] + 1, &in, NULL, NULL, &t, &mask);
	return r * 10 + (t.tv_sec < 3600) + FD_ISSET(way[0], &in) * 100;
}

static long in_epoll_pwait2(void)
{
	struct epoll_event event;
	return syscall(SYS_epoll_pwait2, epoll, &event, 1, &hour, NULL, SET);
}

static long in_epoll_pwait(void)
{
	struct epoll_event event;
	return syscall(SYS_epoll_pwait, epoll, &event, 1, -1, NULL, SET);
}

static long in_waitid(void)
{
	siginfo_t info;
	memset(&info, 0, sizeof info);
	return syscall(SYS_waitid, P_PID, child, &info, WEXITED, NULL) * 1000 + info.si_status;
}

static long in_preadv2(void)
{
	return syscall(SYS_preadv2, way[0], &one, 1, -1L, -1L, 0);
}

static long in_pwritev2(void)
{
	return syscall(SYS_pwritev2, way[1], &many, 1, -1L, -1L, 0);
}

static long in_vmsplice(void)
{
	return syscall(SYS_vmsplice, way[1], &page, 1, 0);
}

static long in_tee(void)
{
	return syscall(SYS_tee, way[0], other[1], 10, 0);
}

static long in_open(void)
{
	long fd = syscall(SYS_openat, AT_FDCWD, "fifo", O_RDONLY);
	return fd < 0 ? fd : close((int)fd);
}

static long in_sigtimedwait(void)
{
	siginfo_t info;
	return syscall(SYS_rt_sigtimedwait, &usr1, &info, &hour, SET);
}

static long in_sigsuspend(void)
{
	return syscall(SYS_rt_sigsuspend, &all_but_usr1, SET);
}

static long in_msgrcv(void)
{
	return syscall(SYS_msgrcv, queue_id, &message, sizeof message.text, 0, 0);
}

static long in_semop(void)
{
	return syscall(SYS_semop, set_id, &(struct sembuf){0, -1, 0}, 1);
}

static long in_semtimedop(void)
{
	return syscall(SYS_semtimedop, set_id, &(struct sembuf){0, -1, 0}, 1, &hour);
}

static long in_mq(void)
{
	return syscall(SYS_mq_timedreceive, mq, bytes, sizeof bytes, NULL, NULL);
}

static long in_clock_nanosleep(void)
{
	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &short_time, NULL);
}

/* a cancellation that waits for a cancellation point, */
static long in_poll_cancelled(void)
{
	long r = in_poll();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return r;
}

/* and what ends the wait. */
static void give(void)
{
	write_all(way[1], "x", 1);
}

static void empty_of(size_t left)
{
	char there[4096];
	while (left > 0) {
		ssize_t n = read(way[0], there, left < sizeof there ? left : sizeof there);
		check(n > 0);
		left -= (size_t)n;
	}
}

static void empty(void)
{
	empty_of(65536 + sizeof bytes);
}

/* One page: of more it would take what there is room for, and say so. */
static void empty_page(void)
{
	empty_of(65536 + page.iov_len);
}

static void open_fifo(void)
{
	close(open("fifo", O_WRONLY));
}

static void end_child(void)
{
	check(kill(child, SIGTERM) == 0);
}

static void signal_it(void)
{
	check(pthread_kill(caller, SIGUSR1) == 0);
}

static void send_message(void)
{
	check(msgsnd(queue_id, &(struct msgbuf){.mtype = 1}, 1, 0) == 0);
}

static void raise_semaphore(void)
{
	check(semop(set_id, &(struct sembuf){0, 1, 0}, 1) == 0);
}

static void send_mq(void)
{
	check(mq_send(mq, "hello", 5, 0) == 0);
}

static void cancel_it(void)
{
	check(pthread_cancel(caller) == 0);
	give();
}

static void nothing(void)
{
}

static const struct {
	const char *name;
	long (*call)(void);
	void (*end)(void);
	bool fills; /* the pipe is full first */
} calls[] = {
	{"ppoll", in_poll, give, false},
	{"ppoll with a time and a set", in_poll_timed, give, false},
	{"pselect6", in_select, give, false},
	{"epoll_pwait", in_epoll_pwait, give, false},
	{"epoll_pwait2", in_epoll_pwait2, give, false},
	{"waitid", in_waitid, end_child, false},
	{"preadv2", in_preadv2, give, false},
	{"pwritev2", in_pwritev2, empty, true},
	{"vmsplice", in_vmsplice, empty_page, true},
	{"tee", in_tee, give, false},
	{"openat", in_open, open_fifo, false},
	{"rt_sigtimedwait", in_sigtimedwait, signal_it, false},
	{"rt_sigsuspend", in_sigsuspend, signal_it, false},
	{"msgrcv", in_msgrcv, send_message, false},
	{"semop", in_semop, raise_semaphore, false},
	{"semtimedop", in_semtimedop, raise_semaphore, false},
	{"mq_timedreceive", in_mq, send_mq, false},
	{"clock_nanosleep", in_clock_nanosleep, nothing, false},
	{"ppoll, cancelled", in_poll_cancelled, cancel_it, false},
};

static void *run(void *arg)
{
	long i = (long)arg;
	sem_post(&here);
	errno = 0;
	long r = calls[i].call();
	int error = errno;
	printf("%s: %ld %s\n", calls[i].name, r, r == -1 ? strerrorname_np(error) : "");
	return arg;
}

static void make_pipes(bool full)
{
	static char block[65536];
	struct epoll_event event = {.events = EPOLLIN};
	check(pipe(way) == 0 && pipe(other) == 0);
	check(fcntl(way[1], F_SETPIPE_SZ, 65536) == 65536);
	if (full)
		write_all(way[1], block, sizeof block);
	epoll = epoll_create1(0);
	check(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, way[0], &event) == 0);
}

static void close_pipes(void)
{
	for (int i = 0; i < 2; i++) {
		close(way[i]);
		close(other[i]);
	}
	close(epoll);
}

/* What cannot be made to wait here, and wrong arguments: the same answers. */
static void *answers(void *arg)
{
	struct timespec bad = {0, -1}, none = {0, 0};
	struct pollfd p = {way[0], POLLIN, 0};
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	show(ftruncate(fd, 4096));
	show(syscall(SYS_ppoll, &p, 1, &bad, NULL, SET));
	show(syscall(SYS_ppoll, &p, 1, &none, NULL, SET));
	show(syscall(SYS_ppoll, &p, 1, &none, &usr1, 4));
	show(syscall(SYS_pselect6, -1, NULL, NULL, NULL, &none, NULL));
	show(syscall(SYS_ppoll, &p, 1, &constant, NULL, SET));
	show(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &constant, NULL));
#ifdef SYS_select
	show(syscall(SYS_select, 0, NULL, NULL, NULL, &constant_too));
#endif
	show(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &none, NULL));
	show(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, NULL));
	show(syscall(SYS_clock_nanosleep, 99, 0, &none, NULL));
	show(syscall(SYS_waitid, P_PID, 1, NULL, WEXITED, NULL));
	show(syscall(SYS_rt_sigtimedwait, &usr1, NULL, &none, SET));
	show(syscall(SYS_rt_sigtimedwait, &usr1, NULL, &none, 4));
	show(syscall(SYS_fsync, fd));
	show(syscall(SYS_fdatasync, fd));
	show(syscall(SYS_syncfs, fd));
	show(syscall(SYS_fsync, -1));
	show(syscall(SYS_msync, memory, 4096, MS_SYNC));
	show(syscall(SYS_sync_file_range, fd, 0, 4096, SYNC_FILE_RANGE_WRITE));
	show(syscall(SYS_getrandom, bytes, 16, 0));
	show(syscall(SYS_mq_timedsend, -1, "x", 1, 0, NULL));
	show(syscall(SYS_semop, -1, &(struct sembuf){0}, 1));
	show(syscall(SYS_io_uring_enter, way[0], 0, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	munmap(memory, 4096);
	close(fd);
	unlink("file");
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler};
	struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = sizeof bytes};
	sem_t go;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sigset_t blocked;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	check(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
	check(sigaction(SIGUSR1, &action, NULL) == 0 && mkfifo("fifo", 0600) == 0);
	set_id = semget(IPC_PRIVATE, 1, 0600);
	queue_id = msgget(IPC_PRIVATE, 0600);
	char name[40];
	snprintf(name, sizeof name, "/twin-numbers-%d", (int)getpid());
	mq = mq_open(name, O_RDWR | O_CREAT, 0600, &attributes);
	check(set_id >= 0 && queue_id >= 0 && mq >= 0 && mq_unlink(name) == 0);
	pthread_t parked = spawn(parked_until, &go);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		make_pipes(calls[i].fills);
		if (calls[i].call == in_waitid && (child = fork()) == 0)
			for (;;)
				pause();
		caller = spawn(run, (void *)i);
		wait_for(&here);
		if (i == 0)
			report_threads();
		for (int k = 0; k < 3; k++)
			sched_yield();
		calls[i].end();
		check(join(caller) != PTHREAD_CANCELED);
		close_pipes();
	}
	make_pipes(false);
	join(spawn(answers, NULL));
	close_pipes();
	semctl(set_id, 0, IPC_RMID);
	msgctl(queue_id, IPC_RMID, NULL);
	unlink("fifo");
	sem_post(&go);
	join(parked);
	return 0;
}
