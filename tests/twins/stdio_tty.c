/* A terminal: lines from it while others print to a line-buffered stdout that is full, which libc flushes before each read; a prompt and its
 * answer. */
#include "streams.h"

#include <pty.h>
#include <termios.h>

enum { LINES = 40, PRINTED = 3000 };

static void *read_terminal(void *arg)
{
	char line[100];
	for (int i = 0; i < LINES; i++) {
		int n = -1;
		check(fgets(line, sizeof line, stdin) != NULL && sscanf(line, "line %d", &n) == 1 && n == i);
		sem_post(&here);
		printf("read %d\n", i);
	}
	return NULL;
}

static void *print_much(void *arg)
{
	for (int i = 0; i < PRINTED; i++)
		printf("printed %d, and some text so that the pipe is full\n", i);
	return NULL;
}

static void *write_lines(void *arg)
{
	int master = *(int *)arg;
	for (int i = 0; i < LINES; i++) {
		char line[20];
		write_all(master, line, (size_t)snprintf(line, sizeof line, "line %d\n", i));
		wait_for(&here);
	}
	return NULL;
}

static pthread_t printer, reader, writer;

static void *end_of_all(void *arg)
{
	join(printer);
	join(reader);
	join(writer);
	fflush(stdout);
	check(dup2(saved_stdout, 1) == 1 && close(saved_stdout) == 0);
	return NULL;
}

/* Nothing is lost, torn or doubled. */
static void look(int fd)
{
	FILE *f = fdopen(fd, "r");
	char line[200];
	int read = 0, printed = 0, n, whole;
	while (fgets(line, sizeof line, f)) {
		whole = 0;
		if (sscanf(line, "read %d\n%n", &n, &whole) == 1 && line[whole] == '\0' && whole)
			check(n == read++);
		else if (sscanf(line, "printed %d, and some text so that the pipe is full\n%n", &n, &whole) == 1 &&
			 whole)
			check(n == printed++);
		else
			check(!"a line that nobody has printed");
	}
	fclose(f);
	printf("%d read, %d printed\n", read, printed);
}

static void *answer(void *arg)
{
	int master = *(int *)arg;
	char c;
	/* The prompt, and not before. */
	do
		read_all(master, &c, 1);
	while (c != '?');
	write_all(master, "the answer\n", 11);
	return NULL;
}

int main(void)
{
	int master, slave, fd[2];
	struct termios raw;
	sem_init(&here, 0, 0);
	check(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	tcgetattr(slave, &raw);
	raw.c_lflag &= ~(tcflag_t)ECHO;
	raw.c_oflag = 0;
	tcsetattr(slave, TCSANOW, &raw);
	check(dup2(slave, 0) == 0);
	check(pipe(fd) == 0);
	lead_stdout(fd[1]);
	setvbuf(stdout, NULL, _IOLBF, 1000);
	setvbuf(stdin, NULL, _IOLBF, 1000);
	printer = spawn(print_much, NULL);
	reader = spawn(read_terminal, NULL);
	writer = spawn(write_lines, &master);
	report_threads();
	pthread_t end = spawn(end_of_all, NULL);
	look(fd[0]);
	join(end);

	check(ioctl(slave, TIOCSCTTY, 0) == 0);
	pthread_t t = spawn(answer, &master);
	const char *text = getpass("well?");
	printf("getpass: %s\n", text ? text : strerror(errno));
	join(t);
	fflush(stdout);
	return 0;
}
