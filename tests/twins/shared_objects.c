/* Objects shared between processes: this one, whose threads may be green, and one of another kind, that waits and wakes
 * natively or is patched too. Arguments: the object, and "plain" or "patched" for the other process.
 *
 * The other process takes the object, or is the one to signal it; a thread here waits for it, and main, which must go on
 * meanwhile, then tells the other process by a pipe to let go. After that the roles change. */
#include <sys/mman.h>
#include <sys/wait.h>

#include "twin.h"

struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	pthread_rwlock_t rwlock;
	pthread_barrier_t barrier;
	sem_t sem;
	int flag;
};

static struct shared *s;
static const char *what;
static int to_other[2], from_other[2];
static sem_t here;

static bool is(const char *name)
{
	return strcmp(what, name) == 0;
}

/* What the other side must do before `take` can return. */
static void hold(void)
{
	if (is("mutex") || is("recursive") || is("robust") || is("dead") || is("inherit"))
		check(pthread_mutex_lock(&s->mutex) == 0);
	else if (is("rwlock-read") || is("rwlock-write"))
		check(pthread_rwlock_wrlock(&s->rwlock) == 0);
}

static void let_go(void)
{
	if (is("dead"))
		_exit(0);
	if (is("mutex") || is("recursive") || is("robust") || is("inherit")) {
		check(pthread_mutex_unlock(&s->mutex) == 0);
	} else if (is("cond") || is("cond-timed")) {
		check(pthread_mutex_lock(&s->mutex) == 0);
		s->flag = 1;
		check(pthread_mutex_unlock(&s->mutex) == 0);
		check(pthread_cond_broadcast(&s->cond) == 0);
	} else if (is("rwlock-read") || is("rwlock-write")) {
		check(pthread_rwlock_unlock(&s->rwlock) == 0);
	} else if (is("barrier")) {
		int r = pthread_barrier_wait(&s->barrier);
		check(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
	} else {
		check(sem_post(&s->sem) == 0);
	}
}

static void take(void)
{
	struct timespec late = after(CLOCK_REALTIME, 15);
	if (is("mutex") || is("recursive") || is("robust") || is("inherit")) {
		check(pthread_mutex_lock(&s->mutex) == 0);
		check(pthread_mutex_unlock(&s->mutex) == 0);
	} else if (is("dead")) {
		show_error(pthread_mutex_lock(&s->mutex));
		show_error(pthread_mutex_consistent(&s->mutex));
		show_error(pthread_mutex_unlock(&s->mutex));
	} else if (is("cond") || is("cond-timed")) {
		check(pthread_mutex_lock(&s->mutex) == 0);
		while (s->flag == 0)
			check((is("cond") ? pthread_cond_wait(&s->cond, &s->mutex)
					  : pthread_cond_timedwait(&s->cond, &s->mutex, &late)) == 0);
		s->flag = 0;
		check(pthread_mutex_unlock(&s->mutex) == 0);
	} else if (is("rwlock-read")) {
		check(pthread_rwlock_rdlock(&s->rwlock) == 0);
		check(pthread_rwlock_unlock(&s->rwlock) == 0);
	} else if (is("rwlock-write")) {
		check(pthread_rwlock_timedwrlock(&s->rwlock, &late) == 0);
		check(pthread_rwlock_rdlock(&s->rwlock) == EDEADLK);
		check(pthread_rwlock_unlock(&s->rwlock) == 0);
	} else if (is("barrier")) {
		int r = pthread_barrier_wait(&s->barrier);
		check(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
	} else if (is("sem-timed")) {
		check(sem_timedwait(&s->sem, &late) == 0);
	} else {
		check(sem_wait(&s->sem) == 0);
	}
}

static void *take_it(void *arg)
{
	sem_post(&here);
	take();
	return arg;
}

static void tell(int fd)
{
	write_all(fd, "x", 1);
}

static void hear(int fd)
{
	char c;
	read_all(fd, &c, 1);
}

/* In a thread of its own, as here: so there the roles are the same. */
static void be_the_other(void)
{
	hold();
	tell(from_other[1]);
	hear(to_other[0]);
	let_go();
	hear(to_other[0]); /* it has taken what we gave, and holds what we want */
	pthread_t t = spawn(take_it, NULL);
	wait_for(&here);
	tell(from_other[1]);
	join(t);
	tell(from_other[1]);
	_exit(0);
}

static void make_objects(void)
{
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pthread_rwlockattr_t ra;
	pthread_barrierattr_t ba;
	pthread_mutexattr_init(&ma);
	pthread_condattr_init(&ca);
	pthread_rwlockattr_init(&ra);
	pthread_barrierattr_init(&ba);
	check(pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED) == 0);
	check(pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED) == 0);
	check(pthread_rwlockattr_setpshared(&ra, PTHREAD_PROCESS_SHARED) == 0);
	check(pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED) == 0);
	if (is("robust") || is("dead"))
		check(pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST) == 0);
	if (is("recursive") || is("cond-timed"))
		check(pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_RECURSIVE) == 0);
	if (is("cond"))
		check(pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_ERRORCHECK) == 0);
	check(pthread_mutex_init(&s->mutex, &ma) == 0);
	check(pthread_cond_init(&s->cond, &ca) == 0);
	check(pthread_rwlock_init(&s->rwlock, &ra) == 0);
	check(pthread_barrier_init(&s->barrier, &ba, 2) == 0);
	check(sem_init(&s->sem, 1, 0) == 0);
}

static void *map(int fd)
{
	s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(s != MAP_FAILED);
	return s;
}

static pid_t start_other(char **argv, int memory)
{
	char numbers[5][16];
	char *args[] = {argv[0], argv[1], argv[2], numbers[0], numbers[1], numbers[2], NULL};
	snprintf(numbers[0], sizeof *numbers, "%d", memory);
	snprintf(numbers[1], sizeof *numbers, "%d", to_other[0]);
	snprintf(numbers[2], sizeof *numbers, "%d", from_other[1]);
	pid_t pid = fork();
	if (pid == 0) {
		if (strcmp(argv[2], "plain") == 0)
			unsetenv("LD_PRELOAD");
		execv("/proc/self/exe", args);
		_exit(1);
	}
	check(pid > 0);
	return pid;
}

int main(int argc, char **argv)
{
	int status;
	what = argv[1];
	sem_init(&here, 0, 0);
	if (argc > 3) {
		map(atoi(argv[3]));
		to_other[0] = atoi(argv[4]);
		from_other[1] = atoi(argv[5]);
		be_the_other();
	}
	int memory = memfd_create("twin", 0);
	check(memory >= 0 && ftruncate(memory, sizeof *s) == 0);
	map(memory);
	make_objects();
	check(pipe(to_other) == 0 && pipe(from_other) == 0);
	pid_t pid = start_other(argv, memory);
	hear(from_other[0]);

	pthread_t t = spawn(take_it, NULL), second = 0;
	if (!is("barrier") && !is("dead") && !is("sem") && !is("sem-timed") && !is("cond") && !is("cond-timed")) {
		second = spawn(take_it, NULL); /* two who want it: who gets it must wake the other */
		wait_for(&here);
	}
	wait_for(&here);
	report_threads();
	tell(to_other[1]);
	join(t);
	if (second)
		join(second);
	puts("taken from the other process");
	if (!is("dead")) {
		hold();
		tell(to_other[1]);
		hear(from_other[0]);
		let_go();
		hear(from_other[0]);
		puts("given to the other process");
	}
	check(waitpid(pid, &status, 0) == pid && status == 0);
	return 0;
}
