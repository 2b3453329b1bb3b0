/* Objects of one program used through a copy of the static initialiser, in malloc'd and in zeroed memory, made and
 * destroyed many times, and freed at once after the unlock. */
#include "twin.h"

struct job {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int state, references;
};

/* As POSIX allows: whoever drops the last reference destroys and frees, right after the unlock of the other. */
static void drop(struct job *j)
{
	pthread_mutex_lock(&j->lock);
	int left = --j->references;
	pthread_mutex_unlock(&j->lock);
	if (left == 0) {
		check(pthread_mutex_destroy(&j->lock) == 0);
		check(pthread_cond_destroy(&j->changed) == 0);
		memset(j, 0xee, sizeof *j);
		free(j);
	}
}

static void *work(void *arg)
{
	struct job *j = arg;
	pthread_mutex_lock(&j->lock);
	j->state = 1;
	pthread_cond_signal(&j->changed);
	while (j->state != 2)
		pthread_cond_wait(&j->changed, &j->lock);
	pthread_mutex_unlock(&j->lock);
	drop(j);
	return NULL;
}

static void *post_and_end(void *arg)
{
	sem_post(arg);
	return NULL;
}

int main(void)
{
	int n = 0;
	/* All zeroes is what the static initialisers are, here. This one waits for ever. */
	struct job *zeroed = calloc(1, sizeof *zeroed);
	zeroed->references = 2;
	spawn(work, zeroed);
	report_threads();
	for (int i = 0; i < 2000; i++) {
		struct job *j = malloc(sizeof *j);
		pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
		pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
		memcpy(&j->lock, &lock, sizeof lock);
		memcpy(&j->changed, &changed, sizeof changed);
		j->state = 0;
		j->references = 2;
		pthread_t t = spawn(work, j);
		pthread_mutex_lock(&j->lock);
		while (j->state != 1)
			pthread_cond_wait(&j->changed, &j->lock);
		j->state = 2;
		pthread_cond_signal(&j->changed);
		pthread_mutex_unlock(&j->lock);
		drop(j);
		join(t);

		/* A semaphore on the stack that goes as soon as the wait is over. */
		sem_t done;
		sem_init(&done, 0, 0);
		t = spawn(post_and_end, &done);
		wait_for(&done);
		sem_destroy(&done);
		join(t);
		n++;
	}
	printf("%d jobs\n", n);
	return 0;
}
