/* The loader's last error (dlerror(3)) is the program's: it waits until it is asked for, whatever was called meanwhile, and each thread has its own. */
#include <dlfcn.h>

#include "twin.h"

static void fail(void)
{
	check(dlopen("libno-such-thing.so.1", RTLD_NOW) == NULL);
}

static void say(const char *what)
{
	const char *error = dlerror();
	printf("after %s: %s\n", what, error ? error : "nothing");
	check(dlerror() == NULL);
}

static sem_t begun, go;

static void *other(void *arg)
{
	sem_post(&begun);
	wait_for(&go);
	say("main's error"); /* not ours */
	fail();
	usleep(1);
	say("a sleep");
	return arg;
}

int main(void)
{
	pthread_t t;
	char c = 0;
	int fds[2];
	check(sem_init(&begun, 0, 0) == 0 && sem_init(&go, 0, 0) == 0 && pipe(fds) == 0);
	fail();
	check(write(fds[1], "x", 1) == 1 && read(fds[0], &c, 1) == 1);
	say("a read");
	fail();
	check(pthread_create(&t, NULL, other, NULL) == 0); /* the first */
	say("the first thread");
	wait_for(&begun);
	report_threads();
	fail();
	sem_post(&go);
	check(pthread_join(t, NULL) == 0);
	say("a join");
	check(pthread_create(&t, NULL, other, NULL) == 0);
	say("no error");
	sem_post(&go);
	check(pthread_join(t, NULL) == 0);
	fail();
	FILE *f = popen("echo heard", "r");
	check(f && fgetc(f) == 'h' && pclose(f) == 0);
	say("a popen");
	return 0;
}
