/* plain.c: a POSIX program that knows nothing of libgev: how many OS threads are there while ten of its threads sleep? */
#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sem_t here, go;

static void *wait_there(void *arg)
{
	sem_post(&here);
	sem_wait(&go);
	return arg;
}

static int os_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int n = 0;
	for (struct dirent *entry; tasks && (entry = readdir(tasks)) != NULL;)
		n += entry->d_name[0] != '.';
	if (tasks)
		closedir(tasks);
	return n;
}

int main(void)
{
	pthread_t threads[10];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	for (int i = 0; i < 10; i++) {
		int error = pthread_create(&threads[i], NULL, wait_there, NULL);
		if (error) {
			fprintf(stderr, "plain: %s\n", strerror(error));
			return 1;
		}
	}
	for (int i = 0; i < 10; i++)
		sem_wait(&here);
	printf("%d\n", os_threads());
	for (int i = 0; i < 10; i++)
		sem_post(&go);
	for (int i = 0; i < 10; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
