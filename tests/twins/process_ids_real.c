/* A real thread beside green ones changes the process's credentials: while one of them computes and main waits, so that the OS thread under them runs as
 * none that libc has made; and a green one does it while a real one lives. */
#include <grp.h>
#include <sys/syscall.h>

#include "twin.h"

enum { OTHERS = 65534 };
static sem_t here, go, end;
static volatile int stop;
static volatile unsigned long work;

__attribute__((visibility("default"))) void *begin_native(void *arg);

/* The kernel keeps them by thread. */
static gid_t group(void)
{
	return (gid_t)syscall(SYS_getegid);
}

static void change(gid_t to)
{
	gid_t before = getgid();
	check(setegid(getuid() == 0 ? to : before) == 0);
	check(group() == (getuid() == 0 ? to : before));
}

void *begin_native(void *arg)
{
	for (int i = 0; i < 20; i++) {
		change(OTHERS);
		change(getgid());
	}
	change(OTHERS);
	sem_post(&here);
	wait_for(&go);
	check(group() == getgid());
	sem_post(&here);
	wait_for(&end);
	return arg;
}

static void *compute(void *arg)
{
	sem_post(&here);
	while (!stop)
		work++;
	check(getuid() != 0 || group() == OTHERS);
	change(getgid());
	return arg;
}

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&end, 0, 0);
	pthread_t green = spawn(compute, NULL);
	wait_for(&here);
	pthread_t real = spawn(begin_native, NULL);
	wait_for(&here);
	stop = 1;
	join(green);
	check(group() == getgid());
	report_threads();
	sem_post(&go);
	wait_for(&here);
	sem_post(&end);
	join(real);
	puts("the same for all");
	return 0;
}
