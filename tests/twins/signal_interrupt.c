/* Which calls a handler ends with EINTR, with SA_RESTART and without: the table of signal(7). */
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <threads.h>

#include "twin.h"

static int pipes[2], stream[2], timed[2], listening, listening_timed, full[2];
static sem_t here, go, sem;
static pthread_t target;
static volatile sig_atomic_t caught;
static char big[1 << 20];

static void handler(int sig)
{
	caught++;
}

static int do_read(void)
{
	char c;
	return (int)read(pipes[0], &c, 1);
}

static int do_recv(void)
{
	char c;
	return (int)recv(stream[0], &c, 1, 0);
}

static int do_recv_timed(void)
{
	char c;
	return (int)recv(timed[0], &c, 1, 0);
}

static int do_send(void)
{
	return (int)send(full[0], big, 1, 0);
}

static int do_accept(void)
{
	return accept(listening, NULL, NULL);
}

static int do_accept_timed(void)
{
	return accept(listening_timed, NULL, NULL);
}

static int do_poll(void)
{
	struct pollfd p = {.fd = pipes[0], .events = POLLIN};
	return poll(&p, 1, -1);
}

static int do_poll_nothing(void)
{
	return poll(NULL, 0, 60000);
}

static int do_select(void)
{
	fd_set in;
	struct timeval t = {.tv_sec = 60};
	FD_ZERO(&in);
	FD_SET(pipes[0], &in);
	return select(pipes[0] + 1, &in, NULL, NULL, &t);
}

/* Of a minute; the machine may have been busy. */
static bool nearly_all_left(time_t seconds)
{
	return seconds >= 30 && seconds < 60;
}

static int do_nanosleep(void)
{
	struct timespec want = {.tv_sec = 60}, left = {0};
	int r = nanosleep(&want, &left);
	printf("left %d ", nearly_all_left(left.tv_sec));
	return r;
}

static int do_clock_nanosleep(void)
{
	struct timespec want = after(CLOCK_MONOTONIC, 60);
	errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &want, NULL);
	return errno ? -1 : 0;
}

static int do_sleep(void)
{
	return nearly_all_left(sleep(60));
}

static int do_usleep(void)
{
	return usleep(60000000);
}

static int do_thrd_sleep(void)
{
	struct timespec want = {.tv_sec = 60}, left = {0};
	int r = thrd_sleep(&want, &left);
	printf("left %d ", nearly_all_left(left.tv_sec));
	return r;
}

static int do_sem_wait(void)
{
	return sem_wait(&sem);
}

static int do_sem_timedwait(void)
{
	struct timespec until = after(CLOCK_REALTIME, 60);
	return sem_timedwait(&sem, &until);
}

static int do_pause(void)
{
	return pause();
}

/* Ends what a restarted call waits for. */
static void feed_pipe(void)
{
	check(write(pipes[1], "x", 1) == 1);
}

static void feed_stream(void)
{
	check(write(stream[1], "x", 1) == 1);
}

static void feed_full(void)
{
	char buf[65536];
	while (recv(full[1], buf, sizeof buf, MSG_DONTWAIT) > 0)
		;
}

static void feed_accept(void)
{
	struct sockaddr_in address;
	socklen_t size = sizeof address;
	check(getsockname(listening, (struct sockaddr *)&address, &size) == 0);
	tcp_dial(&address);
}

static void feed_sem(void)
{
	sem_post(&sem);
}

static const struct {
	const char *name;
	int (*call)(void);
	void (*feed)(void); /* NULL: never restarted */
} calls[] = {
	{"read", do_read, feed_pipe},
	{"recv", do_recv, feed_stream},
	{"recv, SO_RCVTIMEO", do_recv_timed, NULL},
	{"send", do_send, feed_full},
	{"accept", do_accept, feed_accept},
	{"accept, SO_RCVTIMEO", do_accept_timed, NULL},
	{"poll", do_poll, NULL},
	{"poll of nothing", do_poll_nothing, NULL},
	{"select", do_select, NULL},
	{"nanosleep", do_nanosleep, NULL},
	{"clock_nanosleep", do_clock_nanosleep, NULL},
	{"sleep", do_sleep, NULL},
	{"usleep", do_usleep, NULL},
	{"thrd_sleep", do_thrd_sleep, NULL},
	{"sem_wait", do_sem_wait, feed_sem},
	{"sem_timedwait", do_sem_timedwait, NULL},
	{"pause", do_pause, NULL},
};
enum { CALLS = sizeof calls / sizeof *calls };

static void *call_all(void *arg)
{
	for (size_t i = 0; i < CALLS; i++) {
		wait_for(&go);
		sem_post(&here);
		errno = 0;
		int r = calls[i].call();
		int e = errno;
		if (strncmp(calls[i].name, "accept", 6) == 0 && r > 0) {
			close(r);
			r = 1;
		}
		printf("%s: %d %s\n", calls[i].name, r, r < 0 ? strerrorname_np(e) : "");
		sem_post(&here);
	}
	return arg;
}

/* Whether the target's kernel thread, or the only one, sleeps cannot be asked in a way that both runs share; so signals are sent until
 * one has been handled in the call: that is when it ends, or when it is fed. */
static void round_with(int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	printf("%s SA_RESTART\n", flags ? "with" : "without");
	target = spawn(call_all, NULL);
	report_threads();
	for (size_t i = 0; i < CALLS; i++) {
		bool restarts = flags && calls[i].feed;
		int before = caught;
		sem_post(&go);
		wait_for(&here);
		if (restarts) {
			while (caught < before + 5) {
				check(pthread_kill(target, SIGUSR1) == 0);
				usleep(2000);
			}
			calls[i].feed();
			wait_for(&here);
		} else {
			do {
				usleep(10000);
				check(pthread_kill(target, SIGUSR1) == 0);
				usleep(10000);
			} while (sem_trywait(&here) < 0);
		}
	}
	join(target);
}

int main(void)
{
	struct sockaddr_in address;
	struct timeval minute = {.tv_sec = 60};
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&sem, 0, 0);
	check(pipe(pipes) == 0);
	stream_pair(stream);
	stream_pair(timed);
	stream_pair(full);
	check(setsockopt(timed[0], SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute) == 0);
	listening = tcp_listener(&address);
	listening_timed = tcp_listener(&address);
	check(setsockopt(listening_timed, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute) == 0);
	while (send(full[0], big, sizeof big, MSG_DONTWAIT) > 0)
		;
	pthread_t idle = spawn(call_all, NULL); /* so that there is another one */
	pthread_cancel(idle);
	join(idle);
	round_with(0);
	while (send(full[0], big, sizeof big, MSG_DONTWAIT) > 0)
		;
	round_with(SA_RESTART);
	return 0;
}
