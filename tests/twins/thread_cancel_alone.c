/* How a main without other threads is cancelled and ends: one that never had any, and one whose threads have ended. What libc itself does not survive
 * (a cancellation in a handler, or asynchronous after threads have lived: it ends in a lock of its own) is left out. */
#include <signal.h>
#include <sys/wait.h>

#include "twin.h"

static int gate[2];
static pthread_key_t key;
static pthread_t main_thread;

static void clean(void *what)
{
	printf("  %s cleaned up\n", (const char *)what);
	fflush(stdout);
}

static void at_exit(void)
{
	puts("  exit");
}

static void *come_and_go(void *arg)
{
	return arg;
}

static void *see_main_end(void *arg)
{
	bool cancelled = join(main_thread) == PTHREAD_CANCELED;
	printf("  main canceled %d\n", cancelled);
	return arg;
}

static void cancel_myself(void)
{
	check(pthread_cancel(pthread_self()) == 0);
}

static void wait_in_read(void)
{
	char byte;
	(void)!read(gate[0], &byte, 1);
}

static void read_later(void)
{
	cancel_myself();
	puts("  deferred");
	wait_in_read();
}
static void pause_later(void)
{
	cancel_myself();
	pause();
}
static void cond_later(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	cancel_myself();
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&cond, &mutex);
}
static void at_once(void)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	cancel_myself();
	puts("  never reached");
}
static void by_type(void)
{
	cancel_myself();
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	puts("  never reached");
}
static void held_off(void)
{
	char byte;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	cancel_myself();
	write_all(gate[1], "x", 1);
	printf("  held off in read: %zd\n", read(gate[0], &byte, 1));
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	wait_in_read();
}
static void held_off_while_threads_come(void)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	cancel_myself();
	join(spawn(come_and_go, NULL));
	usleep(1);
	puts("  held off");
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	wait_in_read();
}
static void while_threads_come(void)
{
	pthread_t t;
	main_thread = pthread_self();
	cancel_myself();
	check(pthread_create(&t, NULL, see_main_end, NULL) == 0);
	puts("  made one");
	pthread_join(t, NULL);
}
static void by_exit(void)
{
	pthread_exit(NULL);
}
static void by_return(void)
{
}

static const struct {
	const char *name;
	void (*end)(void);
} ends[] = {
	{"in read", read_later},
	{"in pause", pause_later},
	{"in a condition", cond_later},
	{"asynchronously", at_once},
	{"by becoming asynchronous", by_type},
	{"after it was held off", held_off},
	{"after threads", held_off_while_threads_come},
	{"with a thread", while_threads_come},
	{"by pthread_exit", by_exit},
	{"by returning", by_return},
};

static void try(size_t i)
{
	int status;
	printf("%s\n", ends[i].name);
	fflush(stdout);
	pid_t child = fork();
	check(child >= 0);
	if (child == 0) {
		atexit(at_exit);
		pthread_setspecific(key, "a key");
		pthread_cleanup_push(clean, "main");
		ends[i].end();
		pthread_cleanup_pop(0);
		exit(7);
	}
	/* Nobody hangs for ever. */
	for (int ms = 0; waitpid(child, &status, WNOHANG) == 0; ms++) {
		if (ms == 10000)
			kill(child, SIGKILL);
		usleep(1000);
	}
	if (WIFEXITED(status))
		printf("  status %d\n", WEXITSTATUS(status));
	else
		printf("  killed by %d\n", WTERMSIG(status));
}

int main(void)
{
	check(pipe(gate) == 0);
	check(pthread_key_create(&key, clean) == 0);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		try(i);
	puts("when threads have lived");
	join(spawn(come_and_go, NULL));
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (ends[i].end != at_once)
			try(i);
	return 0;
}
