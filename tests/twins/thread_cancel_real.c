/* A main without green threads beside it is cancelled by a real thread (GEV_NATIVE) while it waits. */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "twin.h"

static int gate[2], listening;
static pthread_t main_thread;
static sem_t here, never;

static void clean(void *what)
{
	printf("  %s cleaned up\n", (const char *)what);
	fflush(stdout);
}

__attribute__((visibility("default"))) void *begin_native(void *arg);

void *begin_native(void *arg)
{
	wait_for(&here);
	report_threads();
	usleep(2000); /* it waits by now, or will */
	check(pthread_cancel(main_thread) == 0);
	printf("  main canceled %d\n", join(main_thread) == PTHREAD_CANCELED);
	return arg;
}

static void in_read(void)
{
	char byte;
	(void)!read(gate[0], &byte, 1);
}
static void in_fgetc(void)
{
	fgetc(fdopen(gate[0], "r"));
}
static void in_accept(void)
{
	accept(listening, NULL, NULL);
}
static void in_poll(void)
{
	poll(NULL, 0, -1);
}
static void in_pause(void)
{
	pause();
}
static void in_sleep(void)
{
	sleep(100);
}
static void in_sem_wait(void)
{
	sem_wait(&never);
}

static const struct {
	const char *name;
	void (*wait)(void);
} waits[] = {
	{"read", in_read},   {"fgetc", in_fgetc}, {"accept", in_accept},     {"poll", in_poll},
	{"pause", in_pause}, {"sleep", in_sleep}, {"sem_wait", in_sem_wait},
};

int main(void)
{
	struct sockaddr_in address;
	check(pipe(gate) == 0);
	listening = tcp_listener(&address);
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		int status;
		printf("%s\n", waits[i].name);
		fflush(stdout);
		pid_t child = fork();
		check(child >= 0);
		if (child == 0) {
			alarm(20);
			main_thread = pthread_self();
			sem_init(&here, 0, 0);
			sem_init(&never, 0, 0);
			pthread_cleanup_push(clean, "main");
			spawn(begin_native, NULL);
			sem_post(&here);
			waits[i].wait();
			pthread_cleanup_pop(0);
			_exit(7);
		}
		check(waitpid(child, &status, 0) == child);
		printf("  status %d\n", status);
	}
	return 0;
}
