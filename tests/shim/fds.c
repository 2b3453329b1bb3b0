/* What is known of descriptors: shared by their twins, forgotten in time, right for any number and on any thread. */
#include <criterion/criterion.h>
#include <errno.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gev/embed.h"
#include "shim/fds/fds.h"

enum { HIGHEST = (1 << 20) - 1 };

Test(fds, a_dup_shares_the_record_and_keeps_it_alive)
{
	struct description *d = fds_made(5, FD_STREAM, false);
	fds_made(5000, FD_SLOW, false);
	fds_dup(5, 5000);
	cr_assert_not_null(d);
	cr_assert_eq(fds_peek(5000), d);
	cr_assert_eq(d->refs, 2u);
	fds_forget(5);
	cr_assert_null(fds_peek(5));
	cr_assert_eq(fds_peek(5000), d);
	cr_assert_eq(d->refs, 1u);
	uint32_t life = d->life;
	fds_forget(5000);
	struct description *next;
	do
		next = fds_made(7, FD_STREAM, false);
	while (next != d); /* the pool gives it out again, since 5000's old record went before it */
	cr_assert_neq(d->life, life, "the same record in another life");
}

Test(fds, a_new_file_of_a_known_number_is_another)
{
	struct description *old = fds_made(9, FD_STREAM, true);
	uint32_t life = old->life;
	struct description *d = fds_made(9, FD_MESSAGE, false);
	cr_assert(d != old || d->life != life);
	cr_assert_eq(d->kind, FD_MESSAGE);
	cr_assert_not(d->wish);
}

Test(fds, numbers_are_known_up_to_a_million_and_refused_beyond_the_table)
{
	cr_assert_not_null(fds_made(HIGHEST, FD_STREAM, false));
	cr_assert_eq(fds_peek(HIGHEST)->kind, FD_STREAM);
	cr_assert_null(fds_peek(HIGHEST - 1));
	cr_assert_null(fds_peek(-1));
	cr_assert_null(fds_made(-1, FD_STREAM, false));
	cr_assert_null(fds_made(INT32_MAX, FD_STREAM, false));
	cr_assert_null(fds_get(-1));
	fds_forget(INT32_MAX);
}

Test(fds, a_range_is_forgotten_and_its_neighbours_are_not)
{
	static const int kept[] = {3, 4095, 9000}, gone[] = {4096, 5000, 8192, 8999};
	for (int i = 0; i < 3; i++)
		fds_made(kept[i], FD_STREAM, false);
	for (int i = 0; i < 4; i++)
		fds_made(gone[i], FD_STREAM, false);
	fds_forget_range(4096, 8999);
	for (int i = 0; i < 3; i++)
		cr_expect_not_null(fds_peek(kept[i]), "%d", kept[i]);
	for (int i = 0; i < 4; i++)
		cr_expect_null(fds_peek(gone[i]), "%d", gone[i]);
	fds_forget_range(0, UINT32_MAX);
	cr_expect_null(fds_peek(9000));
}

Test(fds, kinds_are_learnt)
{
	int fds[2];
	cr_assert_eq(pipe(fds), 0);
	struct {
		const char *desc;
		int fd;
		enum fd_kind kind;
	} rows[] = {
		{"stream socket", socket(AF_INET, SOCK_STREAM, 0), FD_STREAM},
		{"datagram socket", socket(AF_UNIX, SOCK_DGRAM, 0), FD_MESSAGE},
		{"pipe", fds[0], FD_SLOW},
		{"eventfd", eventfd(0, 0), FD_SLOW},
		{"file", open("/proc/self/exe", O_RDONLY), FD_PLAIN},
		{"directory", open("/", O_RDONLY), FD_PLAIN},
		{"/dev/null", open("/dev/null", O_RDWR), FD_PLAIN},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_assert_geq(rows[i].fd, 0, "%s", rows[i].desc);
		cr_expect_eq(fds_get(rows[i].fd)->kind, rows[i].kind, "%s", rows[i].desc);
	}
	close(rows[0].fd);
	fds_forget(rows[0].fd);
	cr_expect_null(fds_get(rows[0].fd), "not open");
}

Test(fds, timeouts_and_marks_are_learnt)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), low = 7;
	struct timeval t = {.tv_sec = 2, .tv_usec = 500000};
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
	cr_assert_eq(listen(fd, 1), 0);
	struct description *d = fds_get(fd);
	cr_expect_eq(d->receive_timeout, GEV_NEVER);
	cr_expect_eq(d->send_timeout, INT64_C(2500000000));
	cr_expect_eq(d->low, 7u);
	cr_expect(d->listening);
	cr_expect_not(d->wish);
}

Test(fds, twins_that_were_learnt_apart_hear_of_a_change)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), twin = dup(fd), on = 1;
	struct description *d = fds_get(fd);
	cr_assert_neq(fds_get(twin), d);
	cr_assert_not(fds_get(twin)->wish);
	ioctl(fd, FIONBIO, &on);
	d->wish = true;
	fds_changed(d);
	cr_expect(fds_get(twin)->wish);
}

Test(fds, a_covered_listener_is_known_by_its_mark_under_every_number)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	listen(fd, 1);
	struct description *d = fds_get(fd);
	cr_assert_eq(fds_cover(fd, d), 0);
	cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	/* As a dup made before anybody looked, or a child that inherits it. */
	int twin = dup(fd);
	cr_expect(fds_marked(twin));
	cr_expect(fds_get(twin)->covert);
	cr_expect_not(fds_get(twin)->wish);
	fds_uncover(fd, d);
	cr_expect_not(fds_marked(twin));
	fds_forget(twin);
	cr_expect(fds_get(twin)->wish, "now it counts as the program's own");
}

Test(fds, a_listener_that_sends_signals_is_left_alone)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	listen(fd, 1);
	fcntl(fd, F_SETFL, O_ASYNC);
	struct description *d = fds_get(fd);
	cr_expect_eq(fds_cover(fd, d), -EPERM);
	cr_expect_not(d->covert);
	cr_expect_not(fds_marked(fd));
	cr_expect_not(fcntl(fd, F_GETFL) & O_NONBLOCK);
	fcntl(fd, F_SETFL, 0);
	cr_assert_eq(fds_cover(fd, d), 0);
	fds_bare(fd);
	cr_expect_not(fcntl(fd, F_GETFL) & O_NONBLOCK);
	cr_expect_eq(fcntl(fd, F_GETSIG), 0);
	cr_expect_not(fds_still_covered(fd));
	fds_look_again(fd, d);
	cr_expect_not(d->covert, "the flags say so");
}

static void *hammer(void *seed)
{
	unsigned state = (unsigned)(uintptr_t)seed;
	for (int i = 0; i < 200000; i++) {
		int fd = 100 + rand_r(&state) % 16;
		switch (rand_r(&state) % 3) {
		case 0:
			fds_made(fd, FD_STREAM, false);
			break;
		case 1:
			fds_dup(fd, 100 + rand_r(&state) % 16);
			break;
		default:
			fds_forget(fd);
		}
	}
	return NULL;
}

/* Four threads close and open the same numbers: afterwards every record is free, once. */
Test(fds, threads_may_meet_on_a_number)
{
	enum { THREADS = 4, MANY = 64 };
	pthread_t t[THREADS];
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, hammer, (void *)(i + 1));
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	fds_forget_range(0, 1000);
	struct description *all[MANY];
	for (int i = 0; i < MANY; i++) {
		all[i] = fds_made(2000 + i, FD_STREAM, false);
		cr_assert_eq(all[i]->refs, 1u);
		for (int j = 0; j < i; j++)
			cr_assert_neq(all[i], all[j], "one record handed out twice");
	}
	cr_expect_lt(all[0]->index, 1000u, "no record was lost on the way");
}
