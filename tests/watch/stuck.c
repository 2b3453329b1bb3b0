/* One thread that keeps all others from running: stuck.c compute|call. Ends when its standard input does, once the thread has let go: SIGTERM. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile unsigned long rounds;

/* noinline: it is to be seen in a stack. */
__attribute__((noinline)) static void spin(void)
{
	for (;;)
		rounds++;
}

static void *computes(void *arg)
{
	printf("ready %d\n", getpid());
	fflush(stdout);
	spin();
	return arg;
}

/* A raw system call that has no wrapper: nobody can know what it means. */
static void *calls(void *arg)
{
	char name[] = "/tmp/stuck-XXXXXX", fifo[40], link[40];
	if (mkdtemp(name) == NULL)
		abort();
	snprintf(fifo, sizeof fifo, "%s/fifo", name);
	int known = mkfifo(fifo, 0600) ? -1 : open(fifo, O_PATH);
	if (unlink(fifo) || rmdir(name) || known < 0)
		abort();
	snprintf(link, sizeof link, "/proc/self/fd/%d", known);
	printf("ready %d\n", getpid());
	fflush(stdout);
	struct open_how how = {.flags = O_RDONLY}; /* nobody ever opens it to write */
	syscall(SYS_openat2, AT_FDCWD, link, &how, sizeof how);
	return arg;
}

static void *sleeps(void *arg)
{
	for (;;)
		usleep(1000);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t a, b;
	void *(*entry)(void *) = argc > 1 && strcmp(argv[1], "call") == 0 ? calls : computes;
	if (pthread_create(&a, NULL, sleeps, NULL) || pthread_create(&b, NULL, entry, NULL))
		return 1;
	pthread_setname_np(b, "stuck one");
	pthread_join(a, NULL);
	return 0;
}
