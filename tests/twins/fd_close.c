/* Every way to close, while other threads are parked on other descriptors: close, close_range, fclose, closedir,
 * pclose, freopen; and the number that becomes free is the next one given out. */
#include <dirent.h>

#include "twin.h"

enum { PARKED = 5 };

static int gate[PARKED][2];
static sem_t here;

static void *park(void *arg)
{
	char byte;
	sem_post(&here);
	check(read(gate[(long)arg][0], &byte, 1) == 1);
	return NULL;
}

static int next_number(void)
{
	int fd = dup(0);
	check(fd >= 0 && close(fd) == 0);
	return fd;
}

int main(void)
{
	pthread_t t[PARKED];
	char byte;
	int fd[2];
	sem_init(&here, 0, 0);
	for (long i = 0; i < PARKED; i++) {
		check(pipe(gate[i]) == 0);
		t[i] = spawn(park, (void *)i);
		wait_for(&here);
	}
	report_threads();
	int first = next_number();

	stream_pair(fd);
	printf("numbers follow: %d %d\n", fd[0] == first, fd[1] == first + 1);
	show(close(fd[0]));
	show(close(fd[0]));
	printf("free again: %d\n", next_number() == first);
	show(recv(fd[1], &byte, 1, 0));
	show(close_range((unsigned)fd[1], (unsigned)fd[1], 0));
	show(close(fd[1]));
	show(close_range(10, 5, 0));

	stream_pair(fd);
	FILE *f = fdopen(fd[0], "r+");
	check(f != NULL);
	show(fclose(f));
	show(read(fd[0], &byte, 1));
	show(recv(fd[1], &byte, 1, 0));
	close(fd[1]);

	f = fopen("/dev/null", "w");
	check(f != NULL && fileno(f) == first);
	f = freopen("/dev/zero", "r", f);
	printf("reopened: %d\n", f != NULL && fgetc(f) == 0);
	fclose(f);
	DIR *d = opendir("/");
	check(d != NULL && readdir(d) != NULL);
	show(closedir(d));
	f = popen("echo from a child; exit 3", "r");
	char line[100] = "";
	check(f && fgets(line, sizeof line, f));
	printf("%s", line);
	int status = pclose(f);
	printf("ended with %d\n", status >> 8);
	printf("all free again: %d\n", next_number() == first);

	for (int i = 0; i < PARKED; i++) {
		check(write(gate[i][1], "x", 1) == 1);
		join(t[i]);
		show(close(gate[i][0]) + close(gate[i][1]));
	}
	show(close(-1));
	show(close(100000));
	return 0;
}
