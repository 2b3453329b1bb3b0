/* fork of a program that has no threads yet and has used its mutexes: the child owns nothing that is its parent's, and makes threads. */
#include <sys/wait.h>

#include "twin.h"

static void *value(void *arg)
{
	return arg;
}

static void of_kind(int kind)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t held, free_one;
	check(pthread_mutexattr_init(&attr) == 0 && pthread_mutexattr_settype(&attr, kind) == 0);
	check(pthread_mutex_init(&held, &attr) == 0 && pthread_mutex_init(&free_one, &attr) == 0);
	check(pthread_mutex_lock(&free_one) == 0 && pthread_mutex_unlock(&free_one) == 0);
	check(pthread_mutex_lock(&held) == 0);
	fflush(stdout);
	pid_t child = fork();
	check(child >= 0);
	if (child == 0) {
		show(pthread_mutex_trylock(&held));
		show(pthread_mutex_unlock(&held));
		show(pthread_mutex_lock(&free_one));
		show(pthread_mutex_unlock(&free_one));
		printf("a thread: %ld\n", (long)join(spawn(value, (void *)7)));
		fflush(stdout);
		_exit(3);
	}
	int status;
	check(waitpid(child, &status, 0) == child);
	printf("status %d\n", WEXITSTATUS(status));
	show(pthread_mutex_unlock(&held));
}

int main(void)
{
	of_kind(PTHREAD_MUTEX_RECURSIVE);
	of_kind(PTHREAD_MUTEX_ERRORCHECK);
	return 0;
}
