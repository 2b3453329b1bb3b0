/* Streams over pipes and sockets: a thread parks in fgets while another writes the line. */
#include "twin.h"

static int fd[2];
static sem_t here;

static void *read_line(void *arg)
{
	char line[100] = "";
	FILE *f = fdopen(fd[0], "r");
	sem_post(&here);
	check(fgets(line, sizeof line, f) != NULL);
	printf("read: %s", line);
	fclose(f);
	return arg;
}

int main(void)
{
	sem_init(&here, 0, 0);
	stream_pair(fd);
	pthread_t t = spawn(read_line, NULL);
	wait_for(&here);
	report_threads();
	FILE *f = fdopen(fd[1], "w");
	check(fprintf(f, "a %s\n", "line") > 0 && fclose(f) == 0);
	join(t);
	return 0;
}
