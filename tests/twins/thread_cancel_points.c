/* Which calls act on a cancellation that waits, and which do not: in a thread beside another, in a main that never had any, and in one whose
 * threads have ended. A point goes on for ever where it does not act and waits: then its alarm tells. */
#include <aio.h>
#include <dirent.h>
#include <execinfo.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>
#include <wchar.h>

#include "twin.h"

/* What the headers declare where fortification is on, and the X/Open one of two functions of that name. */
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *from, socklen_t *size);
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room);
int __open_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __xpg_sigpause(int sig);

#pragma GCC diagnostic ignored "-Wunused-result"
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wnonnull"

static const struct timespec nothing, soon = {0, 1}, invalid = {0, -1};
static char bytes[16], *text;
static char *argument[] = {"x", NULL};
static struct iovec vector = {bytes, 1};
static struct mmsghdr message = {.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}};
static struct pollfd polled = {.fd = -1};
static struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *found;
static const struct aiocb *no_requests[1];
static struct epoll_event event;
static struct sembuf step;
static struct {
	long type;
	char text[1];
} one_message = {1, "x"};
static struct termios line;
static struct flock lock = {.l_type = F_UNLCK};
static sigset_t none, usual, set;
static siginfo_t info;
static eventfd_t counter = 1;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static once_flag flag = ONCE_FLAG_INIT;
static void *addresses[1];
static size_t room_for_text;
static int null, file, number, room, pair[2], pipes[2], ends[2];
static pid_t child;

/* Each point has its own: who is ended in it leaves them as they are. */
static pthread_mutex_t mutex, held;
static pthread_cond_t cond;
static pthread_rwlock_t rwlock, written;
static pthread_barrier_t barrier;
static mtx_t c11_mutex, c11_held;
static cnd_t c11_cond;
static sem_t posted, never;
static FILE *empty, *full, *bare, *quiet;

static void do_nothing(void)
{
}

static void prepare(void)
{
	pthread_mutex_init(&mutex, NULL);
	pthread_mutex_init(&held, NULL);
	pthread_mutex_lock(&held);
	pthread_cond_init(&cond, NULL);
	pthread_rwlock_init(&rwlock, NULL);
	pthread_rwlock_init(&written, NULL);
	pthread_rwlock_wrlock(&written);
	pthread_barrier_init(&barrier, NULL, 1);
	mtx_init(&c11_mutex, mtx_timed);
	mtx_init(&c11_held, mtx_timed);
	mtx_lock(&c11_held);
	cnd_init(&c11_cond);
	sem_init(&posted, 0, 1);
	sem_init(&never, 0, 0);
	empty = fopen("/dev/null", "r");
	quiet = fopen("/dev/null", "rc");
	full = fopen("/dev/null", "w");
	bare = fopen("/dev/null", "w");
	check(empty && quiet && full && bare);
	fputc('x', full);
	setvbuf(bare, NULL, _IONBF, 0);
	send(pair[1], "x", 1, MSG_DONTWAIT); /* none of them may come to take it */
}

#define POINT(name, ...)                                                                                               \
	static void in_##name(void)                                                                                    \
	{                                                                                                              \
		__VA_ARGS__;                                                                                           \
	}
#include "thread_cancel_points.def"
#undef POINT

#define POINT(name, ...) {#name, in_##name},
static const struct point {
	const char *name;
	void (*call)(void);
} points[] = {
#include "thread_cancel_points.def"
};
#undef POINT

static void *cancelled_in(void *arg)
{
	const struct point *p = arg;
	prepare();
	check(pthread_cancel(pthread_self()) == 0);
	p->call();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return NULL;
}

enum { WENT_ON = 77 };

static int alone(const struct point *p)
{
	int status;
	pid_t pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		alarm(5);
		cancelled_in((void *)p);
		_exit(WENT_ON);
	}
	while (waitpid(pid, &status, 0) < 0)
		check(errno == EINTR);
	return status;
}

static const char *what(int status)
{
	return status == 0                                        ? "ends"
	     : WIFEXITED(status)                                  ? WEXITSTATUS(status) == WENT_ON ? "goes on" : "fails"
	     : WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "hangs"
								  : "crashes";
}

int main(int argc, char **argv)
{
	enum { POINTS = sizeof points / sizeof *points };
	static int before[POINTS], afterwards[POINTS];
	static bool in_thread[POINTS];
	sem_t end;
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGUSR1);
	null = open("/dev/null", O_RDWR);
	file = open("/etc/passwd", O_RDONLY);
	check(null >= 0 && file >= 0 && pipe(pipes) == 0);
	stream_pair(pair);
	size_t first = argc > 1 ? (size_t)atoi(argv[1]) : 0, last = argc > 1 ? first + 1 : POINTS;

	for (size_t i = first; i < last; i++)
		before[i] = alone(&points[i]);
	sem_init(&end, 0, 0);
	pthread_t other = spawn(parked_until, &end);
	report_threads();
	for (size_t i = first; i < last; i++) {
		pthread_t t = spawn(cancelled_in, (void *)&points[i]);
		in_thread[i] = join(t) == PTHREAD_CANCELED;
	}
	sem_post(&end);
	join(other);
	for (size_t i = first; i < last; i++)
		afterwards[i] = alone(&points[i]);
	for (size_t i = first; i < last; i++)
		printf("%s: %s in a thread, %s alone, %s alone again\n", points[i].name,
		       in_thread[i] ? "ends" : "goes on", what(before[i]), what(afterwards[i]));
	return 0;
}
