/* liburing: a thread waits for a completion, and the write that completes its read comes from another thread. */
#include <liburing.h>
#include <sys/syscall.h>

#include "twin.h"

static struct io_uring ring;
static int fd[2];
static sem_t here;
static char got;

static void *wait_for_completion(void *arg)
{
	/* What io_uring_wait_cqe comes to. */
	int __io_uring_get_cqe(struct io_uring *, struct io_uring_cqe **, unsigned, unsigned, sigset_t *);
	struct io_uring_cqe *cqe = NULL;
	int r;
	sem_post(&here);
	switch (*(const char *)arg) {
	case 'a':
		r = __io_uring_get_cqe(&ring, &cqe, 0, 1, NULL);
		break;
	case 'b':
		r = io_uring_wait_cqe(&ring, &cqe);
		break;
	default: /* past liburing, by the number */
		r = (int)syscall(SYS_io_uring_enter, ring.ring_fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
		check(io_uring_peek_cqe(&ring, &cqe) == 0);
	}
	printf("waited: %d\n", r);
	check(cqe != NULL);
	printf("read %d, '%c', for %d\n", cqe->res, got, (int)cqe->user_data);
	io_uring_cqe_seen(&ring, cqe);
	return arg;
}

/* More than there is to hand in: what is there is taken, and nobody waits. */
static void *hand_in_too_much(void *arg)
{
	char byte;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read(sqe, fd[0], &byte, 1, 0);
	__atomic_store_n(ring.sq.ktail, *ring.sq.ktail + 1, __ATOMIC_RELEASE);
	printf("too much: %d\n", (int)syscall(SYS_io_uring_enter, ring.ring_fd, 2, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	write_all(fd[1], "d", 1);
	check(io_uring_wait_cqe(&ring, &cqe) == 0);
	printf("read %d, '%c'\n", cqe->res, byte);
	io_uring_cqe_seen(&ring, cqe);
	return arg;
}

int main(void)
{
	sem_init(&here, 0, 0);
	int r = io_uring_queue_init(8, &ring, 0);
	if (r < 0) {
		fprintf(stderr, "os-threads 1\n");
		printf("this kernel lends no rings\n");
		return 0;
	}
	check(pipe(fd) == 0);
	for (int i = 0; i < 3; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
		io_uring_prep_read(sqe, fd[0], &got, 1, 0);
		sqe->user_data = (unsigned)(42 + i);
		check(io_uring_submit(&ring) == 1);
		pthread_t t = spawn(wait_for_completion, (void *)&"abc"[i]);
		wait_for(&here);
		report_threads();
		write_all(fd[1], &"abc"[i], 1);
		join(t);
	}
	join(spawn(hand_in_too_much, NULL));
	io_uring_queue_exit(&ring);
	return 0;
}
