/* One descriptor that was just found empty: what poll says of it when something comes, for masks of every sort, once and again; and a time-out
 * of nothing. A read that waits goes on from there. With an argument: what select says, where POLLIN is in the mask and POLLPRI, if it is, is its third
 * set. */
#include <poll.h>
#include <sys/select.h>

#include "twin.h"

struct row {
	const char *what;
	short mask;
	void (*act)(int fd);
	bool unix_pair;
};

static void send_one(int fd)
{
	check(send(fd, "a", 1, 0) == 1);
}

static void send_urgent(int fd)
{
	check(send(fd, "!", 1, MSG_OOB) == 1);
}

static void shut(int fd)
{
	check(shutdown(fd, SHUT_WR) == 0);
}

static void reset(int fd)
{
	struct linger now = {.l_onoff = 1};
	check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
	check(close(fd) == 0);
}

static void hang_up(int fd)
{
	check(close(fd) == 0);
}

static const struct row rows[] = {
	{"a byte", POLLIN, send_one, true},
	{"a byte, for POLLIN | POLLPRI", POLLIN | POLLPRI, send_one, true},
	{"a byte, for POLLRDNORM", POLLRDNORM, send_one, true},
	{"a byte, for all that is read", POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND | POLLRDHUP, send_one, false},
	{"an urgent byte", POLLIN | POLLPRI, send_urgent, false},
	{"an urgent byte, for POLLPRI", POLLPRI, send_urgent, false},
	{"the end", POLLIN, shut, false},
	{"the end, for POLLRDHUP", POLLRDHUP, shut, true},
	{"the end, for POLLIN | POLLRDHUP", POLLIN | POLLRDHUP, shut, false},
	{"a reset", POLLIN, reset, false},
	{"a reset, for POLLIN | POLLPRI", POLLIN | POLLPRI, reset, false},
	{"a hang-up, for nothing", 0, hang_up, true},
	{"a hang-up", POLLIN, hang_up, true},
	{"a hang-up, for POLLPRI", POLLPRI, hang_up, true},
};

static int fd[2];
static sem_t here;
static bool by_select;

/* Where both can be said, as poll says it. */
static int select_one(struct pollfd *p, int timeout)
{
	fd_set in, odd;
	struct timeval time = {.tv_usec = timeout * 1000}, before = time;
	FD_ZERO(&in);
	FD_ZERO(&odd);
	FD_SET(p->fd, &in);
	if (p->events & POLLPRI)
		FD_SET(p->fd, &odd);
	int n = select(p->fd + 1, &in, NULL, p->events & POLLPRI ? &odd : NULL, timeout < 0 ? NULL : &time);
	p->revents = (short)((FD_ISSET(p->fd, &in) ? POLLIN : 0) |
			     (n >= 0 && p->events & POLLPRI && FD_ISSET(p->fd, &odd) ? POLLPRI : 0));
	if (timeout > 0)
		printf("some time is left: %d\n", n > 0 && time.tv_usec > 0 && time.tv_usec <= before.tv_usec);
	return n;
}

static void once(const struct row *row, int timeout)
{
	char byte;
	struct pollfd p = {.fd = fd[0], .events = row->mask, .revents = -1};
	check(recv(fd[0], &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	if (timeout < 0)
		sem_post(&here);
	int n = by_select ? select_one(&p, timeout) : poll(&p, 1, timeout);
	printf("%s: poll %d, revents %x\n", row->what, n, (unsigned)p.revents);
}

static void *poll_it(void *arg)
{
	const struct row *row = arg;
	char byte = '-';
	once(row, -1);
	if (row->mask & POLLIN && row->act != send_urgent)
		show(recv(fd[0], &byte, 1, 0));
	if (row->act != send_one)
		return NULL;
	if (!(row->mask & POLLIN))
		check(recv(fd[0], &byte, 1, 0) == 1);
	once(row, 1);
	once(row, -1);
	/* Twice what is there already. */
	check(poll(&(struct pollfd){.fd = fd[0], .events = POLLIN}, 1, -1) == 1);
	check(recv(fd[0], &byte, 1, 0) == 1);
	/* And a read that waits. */
	sem_post(&here);
	show(recv(fd[0], &byte, 1, 0));
	return NULL;
}

int main(int argc, char **argv)
{
	(void)argv;
	by_select = argc > 1;
	sem_init(&here, 0, 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (by_select && !(rows[i].mask & POLLIN))
			continue;
		if (rows[i].unix_pair)
			check(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
		else
			tcp_pair(fd);
		pthread_t t = spawn(poll_it, (void *)&rows[i]);
		wait_for(&here);
		if (i == 0)
			report_threads();
		rows[i].act(fd[1]);
		if (rows[i].act == send_one) {
			for (int more = 0; more < 2; more++) {
				wait_for(&here);
				send_one(fd[1]);
			}
		}
		join(t);
		close(fd[0]);
		if (rows[i].act != reset && rows[i].act != hang_up)
			close(fd[1]);
	}
	return 0;
}
