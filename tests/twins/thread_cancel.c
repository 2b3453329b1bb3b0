/* Deferred cancellation: at each cancellation point where a thread is parked, cleanup handlers included; held off by
 * the state; at pthread_testcancel. */
#include <poll.h>
#include <sys/uio.h>

#include "twin.h"

/* What <bits/unistd.h> declares where fortification is on. */
ssize_t __pread_chk(int fd, void *buf, size_t n, off_t at, size_t room);

static int gate[2], listening;
static sem_t here, never, go;
static pthread_mutex_t lock = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_t parked;

static void *forever(void *arg)
{
	wait_for(&go);
	return arg;
}

static void clean(void *arg)
{
	printf("  cleaned up after %s\n", (const char *)arg);
}

static void unlock(void *arg)
{
	printf("  the mutex was held: %s\n", strerrorname_np(pthread_mutex_unlock(arg)));
}

static void in_read(void)
{
	char byte;
	(void)!read(gate[0], &byte, 1);
}
static void in_recv(void)
{
	char byte;
	int fd[2];
	stream_pair(fd);
	recv(fd[0], &byte, 1, 0);
}
static void in_accept(void)
{
	accept(listening, NULL, NULL);
}
static void in_poll(void)
{
	poll(NULL, 0, -1);
}
static void in_sleep(void)
{
	sleep(100);
}
static void in_sem_wait(void)
{
	sem_wait(&never);
}
static void in_join(void)
{
	pthread_join(parked, NULL);
}
static void in_cond_wait(void)
{
	pthread_mutex_lock(&lock);
	pthread_cleanup_push(unlock, &lock);
	for (;;)
		pthread_cond_wait(&cond, &lock);
	pthread_cleanup_pop(0);
}
static void in_testcancel(void)
{
	for (;;) {
		pthread_testcancel();
		usleep(1000);
	}
}

/* Those that wait for nobody. */
static void in_close(void)
{
	pthread_cancel(pthread_self());
	close(-1);
}
static void in_open(void)
{
	pthread_cancel(pthread_self());
	(void)!open("/dev/null", O_RDONLY);
}
static void in_fopen(void)
{
	pthread_cancel(pthread_self());
	(void)!fopen("/dev/null", "r");
}
static void in_pread(void)
{
	char byte;
	pthread_cancel(pthread_self());
	(void)!pread(-1, &byte, 1, 0);
}
static void in_pread_chk(void)
{
	char byte;
	pthread_cancel(pthread_self());
	(void)!__pread_chk(-1, &byte, 1, 0, 1);
}
static void in_pwrite(void)
{
	pthread_cancel(pthread_self());
	(void)!pwrite(-1, "", 1, 0);
}
static void in_preadv(void)
{
	pthread_cancel(pthread_self());
	(void)!preadv(-1, NULL, 0, 0);
}
static void in_pwritev(void)
{
	pthread_cancel(pthread_self());
	(void)!pwritev(-1, NULL, 0, 0);
}
static void in_preadv2(void)
{
	pthread_cancel(pthread_self());
	(void)!preadv2(-1, NULL, 0, 0, 0);
}
static void in_pwritev2(void)
{
	pthread_cancel(pthread_self());
	(void)!pwritev2(-1, NULL, 0, 0, 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} points[] = {
	{"read", in_read},
	{"recv", in_recv},
	{"accept", in_accept},
	{"poll", in_poll},
	{"sleep", in_sleep},
	{"sem_wait", in_sem_wait},
	{"join", in_join},
	{"cond_wait", in_cond_wait},
	{"testcancel", in_testcancel},
	{"close", in_close},
	{"open", in_open},
	{"fopen", in_fopen},
	{"pread", in_pread},
	{"__pread_chk", in_pread_chk},
	{"pwrite", in_pwrite},
	{"preadv", in_preadv},
	{"pwritev", in_pwritev},
	{"preadv2", in_preadv2},
	{"pwritev2", in_pwritev2},
};

static void *run(void *arg)
{
	size_t i = (size_t)arg;
	pthread_cleanup_push(clean, (void *)points[i].name);
	sem_post(&here);
	points[i].run();
	pthread_cleanup_pop(0);
	return NULL;
}

static void *held_off(void *arg)
{
	int before;
	check(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before) == 0);
	printf("enabled at first: %d\n", before == PTHREAD_CANCEL_ENABLE);
	sem_post(&here);
	wait_for(&go);
	pthread_testcancel();
	puts("held off");
	check(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before) == 0);
	pthread_testcancel();
	puts("never reached");
	return arg;
}

int main(void)
{
	struct sockaddr_in address;
	sem_init(&here, 0, 0);
	sem_init(&never, 0, 0);
	sem_init(&go, 0, 0);
	check(pipe(gate) == 0);
	listening = tcp_listener(&address);
	parked = spawn(forever, NULL);
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		pthread_t t = spawn(run, (void *)i);
		wait_for(&here);
		if (i == 0)
			report_threads();
		check(pthread_cancel(t) == 0);
		printf("%s: canceled %d\n", points[i].name, join(t) == PTHREAD_CANCELED);
	}
	/* The one that in_join waited for is still there to be joined. */
	sem_post(&go);
	join(parked);
	show_error(pthread_setcancelstate(77, NULL));
	show_error(pthread_setcanceltype(77, NULL));

	pthread_t t = spawn(held_off, NULL);
	wait_for(&here);
	check(pthread_cancel(t) == 0);
	sem_post(&go);
	printf("canceled: %d\n", join(t) == PTHREAD_CANCELED);
	return 0;
}
