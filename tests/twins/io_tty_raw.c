/* A terminal without lines: MIN and TIME in all four kinds, more and fewer bytes than asked; another thread goes on meanwhile. */
#include <pty.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "twin.h"

enum { SOON = 1, ROOM = 100 };

static int master, slave;
static sem_t here, there;

struct row {
	int min, time;
	size_t size;
	const char *first, *second; /* what comes before the read, and while it waits */
};

static const struct row rows[] = {
	{0, 0, ROOM, "", ""},       {0, 0, ROOM, "now", ""},      {0, 0, 2, "now", ""},     {0, SOON, ROOM, "", ""},
	{0, SOON, ROOM, "now", ""}, {0, 100, ROOM, "", "x"},      {4, 0, ROOM, "abcd", ""}, {4, 0, ROOM, "ab", "cd"},
	{4, 0, 3, "ab", "c"},       {4, 0, 1, "", "a"},           {200, 0, 5, "ab", "cde"}, {4, SOON, ROOM, "ab", ""},
	{4, 100, ROOM, "ab", "cd"}, {4, SOON, ROOM, "abcde", ""}, {1, SOON, ROOM, "", "x"}, {1, 0, ROOM, "", "y"},
};

static void *reader(void *arg)
{
	char bytes[ROOM];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		wait_for(&there);
		ssize_t n = read(slave, bytes, rows[i].size);
		printf("MIN %d TIME %d, %zu bytes: %zd", rows[i].min, rows[i].time, rows[i].size, n);
		printf(n >= 0 ? " '%.*s'\n" : "\n", (int)n, bytes);
		check(tcflush(slave, TCIFLUSH) == 0);
		sem_post(&here);
	}
	return arg;
}

static void put(const char *what)
{
	ssize_t n = (ssize_t)strlen(what);
	check(write(master, what, (size_t)n) == n);
}

int main(void)
{
	struct termios t;
	check(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	check(tcgetattr(slave, &t) == 0);
	cfmakeraw(&t);
	sem_init(&here, 0, 0);
	sem_init(&there, 0, 0);
	pthread_t r = spawn(reader, NULL);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *row = &rows[i];
		t.c_cc[VMIN] = (cc_t)row->min;
		t.c_cc[VTIME] = (cc_t)row->time;
		check(tcsetattr(slave, TCSANOW, &t) == 0);
		put(row->first);
		/* Until the line has brought it. */
		for (int queued = 0; queued < (int)strlen(row->first); sched_yield())
			check(ioctl(slave, FIONREAD, &queued) == 0);
		sem_post(&there);
		/* One byte after the other, with time between them: all of them are one read. */
		for (const char *c = row->second; *c; c++) {
			char one[] = {*c, '\0'};
			usleep(2000);
			put(one);
		}
		wait_for(&here);
	}
	join(r);
	return 0;
}
