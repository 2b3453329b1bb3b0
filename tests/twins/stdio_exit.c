/* Exit, while another thread is parked in fgets(stdin); while one holds stdout; while one reads what is still to be written. */
#include "streams.h"

static int way[2];
static char room[300000];

static void *read_stdin(void *arg)
{
	char line[100];
	sem_post(&here);
	fgets(line, sizeof line, stdin);
	return NULL;
}

static void *hold_stdout(void *arg)
{
	flockfile(stdout);
	sem_post(&here);
	pause();
	return NULL;
}

static void *forward(void *arg)
{
	char buf[1000];
	int to = *(int *)arg;
	for (ssize_t n; (n = read(way[0], buf, sizeof buf)) > 0;)
		write_all(to, buf, (size_t)n);
	return NULL;
}

/* The pipe takes 64 KiB; the rest of what main has left in its buffer comes through while exit waits for it. */
static void leave_much(void)
{
	static char big[200000];
	int fd[2];
	size_t came = 0;
	check(pipe(fd) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		char buf[4096];
		close(fd[1]);
		for (ssize_t n; (n = read(fd[0], buf, sizeof buf)) > 0;)
			came += (size_t)n;
		printf("%s came through\n", came >= 100000 ? "most" : "little");
		exit(0);
	}
	check(pipe(way) == 0);
	out = fdopen(way[1], "w");
	setvbuf(out, room, _IOFBF, sizeof room);
	memset(big, 'x', sizeof big);
	check(fwrite(big, 1, sizeof big, out) == sizeof big);
	close(fd[0]);
	spawn(forward, &fd[1]);
	report_threads();
	exit(3);
}

int main(int argc, char **argv)
{
	sem_init(&here, 0, 0);
	check(argc > 1);
	if (strcmp(argv[1], "parked") == 0) {
		check(pipe(way) == 0 && dup2(way[0], 0) == 0);
		spawn(read_stdin, NULL);
		wait_for(&here);
		sched_yield();
	} else if (strcmp(argv[1], "held") == 0) {
		printf("before it was held\n");
		spawn(hold_stdout, NULL);
		wait_for(&here);
	} else {
		leave_much();
	}
	report_threads();
	if (strcmp(argv[1], "parked") == 0)
		printf("left in the buffer\n");
	return 4;
}
