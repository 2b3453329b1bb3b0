/* POSIX message queues: threads that wait for a message or for room; deadlines; what must not wait; a handler; a
 * cancellation; a notification. */
#include <mqueue.h>
#include <signal.h>

#include "twin.h"

enum { SIZE = 32 };

static char name[64];
static mqd_t queue;
static sem_t here, told;
static volatile int handled;

static void *receive(void *arg)
{
	char buf[SIZE];
	unsigned priority = 0;
	sem_post(&here);
	ssize_t n = arg ? mq_timedreceive(queue, buf, sizeof buf, &priority, arg)
			: mq_receive(queue, buf, sizeof buf, &priority);
	if (n < 0)
		return (void *)(long)-errno;
	printf("%.*s, priority %u\n", (int)n, buf, priority);
	return (void *)(long)n;
}

static void *transmit(void *arg)
{
	sem_post(&here);
	int r = arg ? mq_timedsend(queue, "late", 4, 1, arg) : mq_send(queue, "late", 4, 1);
	return (void *)(long)(r < 0 ? -errno : 0);
}

static void in_turn(void)
{
	pthread_t t = spawn(receive, NULL);
	wait_for(&here);
	report_threads();
	check(mq_send(queue, "hello", 5, 3) == 0);
	check((long)join(t) == 5);

	/* Full: then the next waits for room. */
	check(mq_send(queue, "a", 1, 0) == 0 && mq_send(queue, "b", 1, 5) == 0);
	t = spawn(transmit, NULL);
	wait_for(&here);
	receive(NULL);
	check(join(t) == NULL);
	receive(NULL);
	receive(NULL);
	for (int i = 0; i < 3; i++)
		wait_for(&here);
}

static void deadlines(void)
{
	struct timespec soon = after(CLOCK_REALTIME, 0.01), minute = after(CLOCK_REALTIME, 60), passed = {0},
			bad = {.tv_nsec = -1};
	beside_begin();
	double began = now();
	printf("receive: %s\n", strerrorname_np((int)-(long)join(spawn(receive, &soon))));
	check(now() - began >= 0.009);
	printf("passed: %s\n", strerrorname_np((int)-(long)join(spawn(receive, &passed))));
	printf("bad: %s\n", strerrorname_np((int)-(long)join(spawn(receive, &bad))));
	pthread_t t = spawn(receive, &minute);
	check(mq_send(queue, "in time", 7, 0) == 0);
	check((long)join(t) == 7);
	check(mq_send(queue, "a", 1, 0) == 0 && mq_send(queue, "b", 1, 0) == 0);
	soon = after(CLOCK_REALTIME, 0.01);
	printf("send: %s\n", strerrorname_np((int)-(long)join(spawn(transmit, &soon))));
	receive(NULL);
	receive(NULL);
	beside_end();
	for (int i = 0; i < 7; i++)
		wait_for(&here);
}

static void at_once(void)
{
	char buf[SIZE];
	struct mq_attr attr = {.mq_flags = O_NONBLOCK}, old;
	check(mq_setattr(queue, &attr, &old) == 0);
	show(mq_receive(queue, buf, sizeof buf, NULL));
	check(mq_send(queue, "a", 1, 0) == 0 && mq_send(queue, "b", 1, 0) == 0);
	show(mq_send(queue, "c", 1, 0));
	show(mq_receive(queue, buf, sizeof buf, NULL));
	show(mq_receive(queue, buf, sizeof buf, NULL));
	check(mq_setattr(queue, &old, NULL) == 0);
	show(mq_receive(queue, buf, 1, NULL));
	show(mq_send(queue, "too long for it, by far, as anybody can see", 44, 0));
	show(mq_send(queue, "x", 1, 1000000));
	show(mq_receive(-1, buf, sizeof buf, NULL));
}

static void on_signal(int sig)
{
	handled++;
}

static void interrupted(void)
{
	void *value;
	struct sigaction a = {.sa_handler = on_signal};
	sigaction(SIGUSR1, &a, NULL);
	pthread_t t = spawn(receive, NULL);
	wait_for(&here);
	while (pthread_tryjoin_np(t, &value) == EBUSY) {
		pthread_kill(t, SIGUSR1);
		usleep(1000);
	}
	printf("interrupted: %s\n", strerrorname_np((int)-(long)value));
	a.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &a, NULL);
	handled = 0;
	t = spawn(receive, NULL);
	wait_for(&here);
	pthread_kill(t, SIGUSR1);
	while (handled == 0)
		usleep(100);
	check(mq_send(queue, "restarted", 9, 0) == 0);
	join(t);
	t = spawn(receive, NULL);
	wait_for(&here);
	pthread_cancel(t);
	check(join(t) == PTHREAD_CANCELED);
	check(mq_send(queue, "not taken", 9, 0) == 0);
	receive(NULL);
	wait_for(&here);
}

static void notice(union sigval value)
{
	printf("notified %d\n", value.sival_int);
	sem_post(&told);
}

static void notified(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notice, .sigev_value.sival_int = 17};
	check(mq_notify(queue, &event) == 0);
	check(mq_send(queue, "news", 4, 0) == 0);
	wait_for(&told);
	receive(NULL);
	wait_for(&here);
}

int main(void)
{
	sem_t go;
	struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = SIZE};
	sem_init(&here, 0, 0);
	sem_init(&told, 0, 0);
	sem_init(&go, 0, 0);
	snprintf(name, sizeof name, "/twin-%d", (int)getpid());
	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	check(queue >= 0);
	check(mq_unlink(name) == 0);
	pthread_t parked = spawn(parked_until, &go);
	in_turn();
	deadlines();
	at_once();
	interrupted();
	notified();
	show(mq_close(queue));
	show(mq_close(queue));
	sem_post(&go);
	join(parked);
	return 0;
}
