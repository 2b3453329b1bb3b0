/* Accounts, time zones, random numbers and stdio in several threads that also park. */
#include <grp.h>
#include <pwd.h>

#include "twin.h"

enum { THREADS = 8 };

static sem_t here, go;

static void *run(void *arg)
{
	struct passwd entry, *found = NULL;
	struct tm broken;
	char buffer[4096], line[64];
	time_t zero = 0;
	check(getpwnam_r("root", &entry, buffer, sizeof buffer, &found) == 0 && found && found->pw_uid == 0);
	check(getpwnam("nobody_of_this_name") == NULL);
	check(getgrgid(0) != NULL);
	sem_post(&here);
	wait_for(&go);
	check(gmtime_r(&zero, &broken) && broken.tm_year == 70);
	snprintf(line, sizeof line, "%d %s %.3f", 42, "text", 1.5);
	check(!strcmp(line, "42 text 1.500"));
	FILE *f = tmpfile();
	check(f && fprintf(f, "line of %ld\n", (long)arg) > 0);
	rewind(f);
	usleep(1000);
	check(fgets(line, sizeof line, f) && atol(line + 8) == (long)arg);
	fclose(f);
	for (int i = 0; i < 1000; i++)
		check(rand() >= 0);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	srand(1);
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(run, (void *)i);
	for (int i = 0; i < THREADS; i++)
		wait_for(&here);
	report_threads();
	for (int i = 0; i < THREADS; i++)
		sem_post(&go);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	/* One sequence for all threads: the 8001st number, whoever drew the others. */
	printf("the next number is %d\n", rand());
	return 0;
}
