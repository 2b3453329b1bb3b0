/* The public sockets: whole transfers, time-outs, errors. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int listener = -1;
static char address[32];

static void listen_here(void)
{
	listener = gev_listen("127.0.0.1:0", 128);
	cr_assert_geq(listener, 0);
	struct sockaddr_in a = {0};
	socklen_t length = sizeof a;
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&a, &length), 0);
	snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(a.sin_port));
}

static void *echo(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buf[4096];
	ssize_t n;
	while ((n = gev_recv(fd, buf, sizeof buf, 0, GEV_FOREVER)) > 0)
		if (gev_send_all(fd, buf, (size_t)n, GEV_FOREVER) != n)
			break;
	gev_close(fd);
	return NULL;
}

static void *serve(void *arg)
{
	int fd;
	while ((fd = gev_accept(listener, NULL, NULL, GEV_FOREVER)) >= 0)
		gev_release(gev_spawn(echo, (void *)(intptr_t)fd));
	return (void *)(intptr_t)errno;
}

enum { BYTES = 200000 };

static void *client(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	int fd = gev_dial(address, 30);
	cr_assert_geq(fd, 0);
	char *out = malloc(BYTES), *in = malloc(BYTES);
	for (int i = 0; i < BYTES; i++)
		out[i] = (char)rand_r(&seed);
	for (int at = 0; at < BYTES;) {
		int n = 1 + rand_r(&seed) % 9000;
		if (n > BYTES - at)
			n = BYTES - at;
		cr_assert_eq(gev_send_all(fd, out + at, (size_t)n, 10), n);
		cr_assert_eq(gev_recv_all(fd, in + at, (size_t)n, 10), n);
		at += n;
	}
	cr_expect_eq(memcmp(in, out, BYTES), 0);
	free(in);
	free(out);
	gev_close(fd);
	return NULL;
}

Test(socket, a_hundred_clients_get_every_byte_back)
{
	listen_here();
	struct gev_greenlet *server = gev_spawn(serve, NULL), *g[100];
	for (intptr_t i = 0; i < 100; i++)
		g[i] = gev_spawn(client, (void *)i);
	for (int i = 0; i < 100; i++)
		cr_expect_eq(gev_join(g[i], 60, NULL), 0);
	gev_close(listener);
	void *error;
	cr_expect_eq(gev_join(server, 10, &error), 0);
	cr_expect_eq((intptr_t)error, EBADF);
}

Test(socket, time_outs)
{
	listen_here();
	char c;
	errno = 0;
	cr_expect_eq(gev_accept(listener, NULL, NULL, 0.002), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	int fd = gev_dial(address, 30);
	cr_assert_geq(fd, 0);
	cr_expect_eq(gev_recv(fd, &c, 1, 0, 0.002), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_eq(gev_recv(fd, &c, 1, 0, 0), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_eq(gev_recv(fd, &c, 1, 0, NAN), -1);
	cr_expect_eq(errno, EINVAL);
	static char big[8 << 20];
	ssize_t sent = gev_send_all(fd, big, sizeof big, 0.01);
	cr_expect_eq(errno, ETIMEDOUT, "nobody reads");
	cr_expect(sent > 0 && sent < (ssize_t)sizeof big, "%zd", sent);
	/* The kernel may still make some room, but not for ever. */
	while ((sent = gev_send_all(fd, big, sizeof big, 0.01)) > 0)
		;
	cr_expect_eq(sent, -1, "and now not one byte goes");
	cr_expect_eq(errno, ETIMEDOUT);
}

Test(socket, errors_are_the_kernels)
{
	char c;
	cr_expect_eq(gev_recv(-1, &c, 1, 0, 1), -1);
	cr_expect_eq(errno, EBADF);
	cr_expect_eq(gev_recv(0, &c, 1, 0, 1), -1);
	cr_expect_eq(errno, ENOTSOCK);
	cr_expect_eq(gev_close(-1), -1);
	cr_expect_eq(errno, EBADF);
	cr_expect_eq(gev_listen("nonsense", 1), -1);
	cr_expect_eq(errno, EINVAL);
	listen_here();
	cr_expect_eq(gev_listen(address, 1), -1);
	cr_expect_eq(errno, EADDRINUSE);
	gev_close(listener);
	cr_expect_eq(gev_dial(address, 30), -1);
	cr_expect_eq(errno, ECONNREFUSED);
}

Test(socket, a_broken_stream_is_EPIPE_and_no_signal)
{
	int fds[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	cr_assert_eq(gev_send(fds[0], "abc", 3, 0, 1), 3);
	gev_close(fds[0]);
	char buf[8];
	cr_expect_eq(gev_recv_all(fds[1], buf, sizeof buf, 1), 3, "what came before the end");
	cr_expect_eq(gev_recv(fds[1], buf, sizeof buf, 0, 1), 0);
	cr_expect_eq(gev_send(fds[1], "x", 1, 0, 1), -1);
	cr_expect_eq(errno, EPIPE);
}

static void *write_pipe(void *arg)
{
	gev_sleep(0.002);
	return (void *)gev_write(*(int *)arg, "hello", 5, 1);
}

Test(socket, read_and_write_on_a_blocking_pipe)
{
	int fds[2];
	cr_assert_eq(pipe(fds), 0);
	struct gev_greenlet *g = gev_spawn(write_pipe, &fds[1]);
	char buf[8];
	cr_expect_eq(gev_read(fds[0], buf, sizeof buf, 5), 5);
	cr_expect_eq(gev_join(g, 5, NULL), 0);
}

Test(socket, a_zero_timeout_takes_what_is_there_on_blocking_descriptors_too)
{
	int fds[2];
	char c = '?';
	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(gev_write(fds[1], "x", 1, 0), 1);
	cr_expect_eq(gev_read(fds[0], &c, 1, 0), 1);
	cr_expect_eq(c, 'x');
	cr_expect_eq(gev_read(fds[0], &c, 1, 0), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	close(fds[1]);
	cr_expect_eq(gev_read(fds[0], &c, 1, 0), 0);
}

Test(socket, urgent_data_is_not_waited_for_as_if_it_were_ordinary)
{
	listen_here();
	int there = gev_dial(address, 30), here = gev_accept(listener, NULL, NULL, 30);
	char buf[16];
	cr_assert_eq(gev_send(there, "ab", 2, 0, 5), 2);
	cr_assert_eq(gev_recv(here, buf, sizeof buf, 0, 5), 2); /* a short read: the next ordinary one waits first */
	cr_assert_eq(gev_send(there, "!", 1, MSG_OOB, 5), 1);
	struct pollfd urgent = {.fd = here, .events = POLLPRI};
	cr_assert_eq(poll(&urgent, 1, 5000), 1);
	cr_expect_eq(gev_recv(here, buf, 1, MSG_OOB, 0.5), 1);
	cr_expect_eq(buf[0], '!');
}
