/* A terminal: a reader parks until a whole line has come; end of file by ^D; hang-up of the other side. And a FIFO. */
#include <pty.h>
#include <sys/stat.h>
#include <termios.h>

#include "twin.h"

static sem_t here;

static void *reader(void *arg)
{
	char line[100];
	ssize_t n;
	int fd = *(int *)arg;
	do {
		sem_post(&here);
		n = read(fd, line, sizeof line);
		printf("read %zd", n);
		if (n > 0)
			printf(" %.*s", (int)n, line);
		else
			printf(" %s\n", n < 0 ? strerrorname_np(errno) : "");
		sem_post(&here);
	} while (n > 0);
	return NULL;
}

int main(void)
{
	int master, slave;
	struct termios raw;
	sem_init(&here, 0, 0);
	check(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	tcgetattr(slave, &raw);
	raw.c_lflag &= ~(tcflag_t)ECHO;
	raw.c_oflag = 0;
	tcsetattr(slave, TCSANOW, &raw);

	pthread_t t = spawn(reader, &slave);
	wait_for(&here);
	report_threads();
	check(write(master, "half ", 5) == 5);
	check(write(master, "a line\nand", 10) == 10);
	wait_for(&here);
	wait_for(&here);
	check(write(master, " more\n", 6) == 6);
	wait_for(&here);
	wait_for(&here);
	check(write(master, "\004", 1) == 1);
	join(t);

	/* The other direction: what the slave writes wakes a reader of the master. */
	check(sem_init(&here, 0, 0) == 0);
	t = spawn(reader, &master);
	wait_for(&here);
	check(write(slave, "up\n", 3) == 3);
	wait_for(&here);
	wait_for(&here);
	close(slave);
	join(t);
	close(master);

	check(mkfifo("fifo", 0600) == 0);
	int fifo = open("fifo", O_RDWR);
	check(sem_init(&here, 0, 0) == 0);
	t = spawn(reader, &fifo);
	wait_for(&here);
	check(write(fifo, "through\n", 8) == 8);
	wait_for(&here);
	wait_for(&here);
	int writer = open("fifo", O_WRONLY | O_NONBLOCK);
	check(writer >= 0 && write(writer, "again\n", 6) == 6);
	wait_for(&here);
	wait_for(&here);
	unlink("fifo");
	/* The reader waits for ever: a FIFO that it has open for writing itself never ends. */
	fflush(stdout);
	_exit(0);
}
