/* Read-write locks: readers together, a writer alone, tries, errors, and a count under contention. */
#include "twin.h"

enum { READERS = 10, THREADS = 20, ROUNDS = 100 };

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER, made;
static sem_t here, go, in;
static int counter, twin_counter, state;

static void *reader(void *arg)
{
	pthread_rwlock_rdlock(&lock);
	sem_post(&here);
	wait_for(&go);
	pthread_rwlock_unlock(&lock);
	return arg;
}

static void *writer(void *arg)
{
	show_error(pthread_rwlock_trywrlock(&lock));
	sem_post(&in);
	pthread_rwlock_wrlock(&lock);
	state = 1;
	sem_post(&in);
	wait_for(&go);
	pthread_rwlock_unlock(&lock);
	return arg;
}

static void *late_reader(void *arg)
{
	show_error(pthread_rwlock_tryrdlock(&lock));
	sem_post(&in);
	pthread_rwlock_rdlock(&lock);
	int seen = state;
	pthread_rwlock_unlock(&lock);
	return (void *)(long)seen;
}

static void *mixed(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		if ((i + (long)arg) % 4) {
			pthread_rwlock_rdlock(&made);
			check(counter == twin_counter);
			pthread_rwlock_unlock(&made);
		} else {
			pthread_rwlock_wrlock(&made);
			counter++;
			if (i % 20 == 0)
				usleep(100);
			twin_counter++;
			pthread_rwlock_unlock(&made);
		}
	}
	return NULL;
}

int main(void)
{
	pthread_t r[READERS], t[THREADS], w, late;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&in, 0, 0);
	for (int i = 0; i < READERS; i++)
		r[i] = spawn(reader, NULL);
	for (int i = 0; i < READERS; i++)
		wait_for(&here);
	show_error(pthread_rwlock_tryrdlock(&lock));
	show_error(pthread_rwlock_unlock(&lock));
	w = spawn(writer, NULL);
	report_threads();
	wait_for(&in);
	for (int i = 0; i < READERS; i++)
		sem_post(&go);
	for (int i = 0; i < READERS; i++)
		join(r[i]);
	wait_for(&in);
	printf("the writer is in: %d\n", state);
	late = spawn(late_reader, NULL);
	wait_for(&in);
	sem_post(&go);
	printf("the late reader saw %ld\n", (long)join(late));
	join(w);

	show_error(pthread_rwlock_wrlock(&lock));
	show_error(pthread_rwlock_wrlock(&lock));
	show_error(pthread_rwlock_rdlock(&lock));
	show_error(pthread_rwlock_unlock(&lock));
	show_error(pthread_rwlock_destroy(&lock));

	check(pthread_rwlock_init(&made, NULL) == 0);
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(mixed, (void *)i);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("counters %d %d\n", counter, twin_counter);
	return 0;
}
