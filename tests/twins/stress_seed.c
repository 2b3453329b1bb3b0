/* Many threads do what a seed says: locks, conditions, semaphores, pipes, signals, forks, threads of their own, cancellations. Who gets on when
 * is left open; what comes out in the end is not. Arguments: the seed, and how many steps each thread does. */
#include <signal.h>
#include <sys/wait.h>

#include "twin.h"

enum { THREADS = 12, LOCKS = 4, ROOM = 8 };

static pthread_mutex_t locks[LOCKS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				       PTHREAD_MUTEX_INITIALIZER};
static unsigned long guarded[LOCKS];
static bool inside[LOCKS];

/* A bounded buffer. */
static pthread_mutex_t buffer_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static unsigned long buffer[ROOM], put_sum, got_sum;
static int filled;

static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static unsigned long pair[2]; /* always equal for who may look */
static sem_t few;
static int few_inside;
static unsigned long handled, cancelled, forked, joined;
static int steps;
static unsigned long seed;

static unsigned long next(unsigned long *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}

static void on_signal(int sig)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

static void use_lock(unsigned long r)
{
	unsigned long i = r % LOCKS;
	check(pthread_mutex_lock(&locks[i]) == 0);
	check(!inside[i]);
	inside[i] = true;
	guarded[i] += r % 1000;
	if (r % 5 == 0)
		sched_yield();
	inside[i] = false;
	check(pthread_mutex_unlock(&locks[i]) == 0);
}

/* Puts one in and takes one out: so nobody waits for ever, as there is room for half of them. */
static void use_buffer(unsigned long r)
{
	unsigned long value = r % 1000 + 1;
	pthread_mutex_lock(&buffer_lock);
	while (filled == ROOM)
		pthread_cond_wait(&not_full, &buffer_lock);
	buffer[filled++] = value;
	put_sum += value;
	pthread_cond_signal(&not_empty);
	pthread_mutex_unlock(&buffer_lock);
	if (r % 3 == 0)
		usleep(50);
	pthread_mutex_lock(&buffer_lock);
	while (filled == 0)
		pthread_cond_wait(&not_empty, &buffer_lock);
	got_sum += buffer[--filled];
	pthread_cond_signal(&not_full);
	pthread_mutex_unlock(&buffer_lock);
}

static void use_rwlock(unsigned long r)
{
	if (r % 4 == 0) {
		check(pthread_rwlock_wrlock(&shared) == 0);
		pair[0] += r % 100;
		sched_yield();
		pair[1] += r % 100;
	} else {
		check(pthread_rwlock_rdlock(&shared) == 0);
		check(pair[0] == pair[1]);
	}
	check(pthread_rwlock_unlock(&shared) == 0);
}

static void use_semaphore(unsigned long r)
{
	wait_for(&few);
	check(__atomic_add_fetch(&few_inside, 1, __ATOMIC_SEQ_CST) <= 3);
	if (r % 2)
		sched_yield();
	__atomic_sub_fetch(&few_inside, 1, __ATOMIC_SEQ_CST);
	sem_post(&few);
}

static void *echo(void *arg)
{
	int *fd = arg;
	char c;
	while (read(fd[0], &c, 1) == 1)
		check(write(fd[0], &c, 1) == 1);
	return arg;
}

static void use_stream(unsigned long r)
{
	int fd[2];
	char c;
	stream_pair(fd);
	pthread_t t = spawn(echo, fd);
	for (unsigned long i = 0; i < r % 5; i++)
		check(write(fd[1], "x", 1) == 1 && read(fd[1], &c, 1) == 1);
	close(fd[1]);
	check(join(t) == fd);
	close(fd[0]);
	__atomic_add_fetch(&joined, 1, __ATOMIC_RELAXED);
}

static void *wait_for_ever(void *arg)
{
	sem_t never;
	sem_init(&never, 0, 0);
	sem_post(arg);
	wait_for(&never);
	return arg;
}

static void use_cancel(unsigned long r)
{
	sem_t here;
	sem_init(&here, 0, 0);
	pthread_t t = spawn(wait_for_ever, &here);
	wait_for(&here);
	if (r % 2)
		check(pthread_kill(t, SIGUSR1) == 0);
	check(pthread_cancel(t) == 0 && join(t) == PTHREAD_CANCELED);
	__atomic_add_fetch(&cancelled, 1, __ATOMIC_RELAXED);
}

static void use_fork(unsigned long r)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit((int)(r % 100));
	check(pid > 0);
	while (waitpid(pid, &status, 0) < 0)
		check(errno == EINTR);
	check(WIFEXITED(status) && WEXITSTATUS(status) == (int)(r % 100));
	__atomic_add_fetch(&forked, 1, __ATOMIC_RELAXED);
}

static void *run(void *arg)
{
	unsigned long state = seed * 1000 + (unsigned long)arg;
	until_reported();
	for (int i = 0; i < steps; i++) {
		unsigned long what = next(&state) % 64, r = next(&state);
		if (what == 0)
			use_fork(r);
		else if (what < 4)
			use_cancel(r);
		else if (what < 10)
			use_stream(r);
		else if (what < 14)
			check(pthread_kill(pthread_self(), SIGUSR1) == 0);
		else if (what < 28)
			use_buffer(r);
		else if (what < 40)
			use_rwlock(r);
		else if (what < 50)
			use_semaphore(r);
		else
			use_lock(r);
	}
	return arg;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	pthread_t t[THREADS];
	check(argc == 3);
	seed = strtoul(argv[1], NULL, 10);
	steps = atoi(argv[2]);
	sem_init(&few, 0, 3);
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(run, (void *)i);
	report_threads();
	for (long i = 0; i < THREADS; i++)
		check(join(t[i]) == (void *)i);
	for (int i = 0; i < LOCKS; i++)
		printf("guarded %lu\n", guarded[i]);
	printf("buffer %lu, all of it out: %d\n", put_sum, put_sum == got_sum && filled == 0);
	printf("pair %lu %lu\n", pair[0], pair[1]);
	printf("cancelled %lu, forked %lu, streams %lu\n", cancelled, forked, joined);
	printf("signals handled: %d\n", handled > 0);
	return 0;
}
