/* The handlers of pthread_atfork: what was registered last prepares first, and goes on last; they run in the thread that forks, main or another,
 * with its locks and its own variables; libc's own forks run them too, and _Fork does not. */
#include <sys/wait.h>

#include "twin.h"

static sem_t here, go;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread int mine;
static char said[64];

static void say(char what)
{
	size_t n = strlen(said);
	check(n + 1 < sizeof said);
	said[n] = what;
}

#define HANDLERS(letter, prepares, in_parent, in_child)                                                                \
	static void prepare_##letter(void)                                                                             \
	{                                                                                                              \
		say(prepares);                                                                                         \
	}                                                                                                              \
	static void parent_##letter(void)                                                                              \
	{                                                                                                              \
		say(in_parent);                                                                                        \
	}                                                                                                              \
	static void child_##letter(void)                                                                               \
	{                                                                                                              \
		say(in_child);                                                                                         \
	}

HANDLERS(a, 'a', '1', '4')
HANDLERS(c, 'c', '3', '6')

/* As libraries do: nobody else has the lock while the process is copied. */
static void prepare_b(void)
{
	check(pthread_mutex_lock(&lock) == 0);
	mine++;
	say('b');
}

static void parent_b(void)
{
	check(pthread_mutex_unlock(&lock) == 0);
	say('2');
}

static void child_b(void)
{
	check(pthread_mutex_unlock(&lock) == 0 && mine > 0);
	say('5');
}

static void fork_by(pid_t (*how)(void), const char *name)
{
	int status;
	memset(said, 0, sizeof said);
	fflush(stdout);
	pid_t pid = how();
	check(pid >= 0);
	if (pid == 0) {
		printf("%s, child: %s\n", name, said);
		fflush(stdout);
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0);
	printf("%s, parent: %s\n", name, said);
}

static void by_vfork(void)
{
	int status;
	memset(said, 0, sizeof said);
	pid_t pid = vfork();
	if (pid == 0)
		_exit(*said != 0);
	check(waitpid(pid, &status, 0) == pid);
	printf("vfork: said in the child %d, in the parent %d\n", status, *said != 0);
}

static void *hold(void *arg)
{
	check(pthread_mutex_lock(&lock) == 0);
	sem_post(&here);
	wait_for(&go);
	check(pthread_mutex_unlock(&lock) == 0);
	return arg;
}

static void *let_go(void *arg)
{
	sem_post(&here);
	sem_post(&go);
	return arg;
}

static void *fork_here(void *arg)
{
	fork_by(fork, arg);
	printf("%s: own variable %d\n", (const char *)arg, mine);
	return NULL;
}

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	check(pthread_atfork(prepare_a, parent_a, child_a) == 0);
	check(pthread_atfork(prepare_b, parent_b, child_b) == 0);
	fork_by(fork, "before any thread");
	pthread_t t = spawn(hold, NULL);
	wait_for(&here);
	report_threads();
	check(pthread_atfork(NULL, parent_c, child_c) == 0 && pthread_atfork(prepare_c, NULL, NULL) == 0);
	/* The holder lets go only when another thread has run: a handler that waits must not stop the others. */
	pthread_t other = spawn(let_go, NULL);
	fork_by(fork, "main");
	wait_for(&here);
	join(other);
	join(t);
	join(spawn(fork_here, "a thread"));
	fork_by(_Fork, "_Fork");
	by_vfork();
	printf("main's own variable %d\n", mine);
	return 0;
}
