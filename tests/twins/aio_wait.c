/* Threads that wait for asynchronous I/O, while another does what it waits for. */
#include <aio.h>
#include <signal.h>

#include "twin.h"

static sem_t begins;
static int fd[2];
static char buffer[4];

static void *suspend(void *arg)
{
	struct aiocb reading = {.aio_fildes = fd[0], .aio_buf = buffer, .aio_nbytes = 1};
	const struct aiocb *const list[] = {NULL, &reading};
	const struct timespec soon = {0, 1000000}, long_time = {100, 0};
	check(aio_read(&reading) == 0);
	show(aio_suspend(list, 2, &soon));
	sem_post(&begins);
	errno = EXFULL;
	int r = aio_suspend(list, 2, arg ? &long_time : NULL);
	printf("aio_suspend: %d, errno %s, read %zd: %c\n", r, strerrorname_np(errno), aio_return(&reading), buffer[0]);
	return NULL;
}

static void *list_io(void *arg)
{
	struct aiocb reading = {.aio_fildes = fd[0], .aio_buf = buffer, .aio_nbytes = 1, .aio_lio_opcode = LIO_READ};
	struct aiocb nothing = {.aio_lio_opcode = LIO_NOP};
	struct aiocb wrong = {.aio_fildes = -1, .aio_buf = buffer + 1, .aio_nbytes = 1, .aio_lio_opcode = LIO_WRITE};
	struct aiocb *const list[] = {&reading, NULL, &nothing, arg ? &wrong : NULL};
	sem_post(&begins);
	errno = EXFULL;
	int r = lio_listio(LIO_WAIT, list, 4, NULL);
	printf("lio_listio: %d, errno %s, read %zd: %c\n", r, strerrorname_np(errno), aio_return(&reading), buffer[0]);
	return NULL;
}

static void feed(void *(*how)(void *), const void *arg, const char *byte)
{
	pthread_t t = spawn(how, (void *)arg);
	wait_for(&begins);
	sched_yield();
	write_all(fd[1], byte, 1);
	join(t);
}

/* ---- A signal ends it ---- */

static void handle(int sig)
{
}

static void *suspend_interrupted(void *arg)
{
	struct aiocb reading = {.aio_fildes = fd[0], .aio_buf = buffer, .aio_nbytes = 1};
	const struct aiocb *const list[] = {&reading};
	check(aio_read(&reading) == 0);
	do {
		sem_post(&begins);
		errno = 0;
	} while (aio_suspend(list, 1, NULL) < 0 && errno != EINTR);
	puts("interrupted");
	write_all(fd[1], "x", 1);
	/* More signals come until this thread has ended. */
	while (aio_suspend(list, 1, NULL) < 0)
		check(errno == EINTR);
	check(aio_return(&reading) == 1);
	return NULL;
}

static void interrupt(void)
{
	struct sigaction act = {.sa_handler = handle};
	check(sigaction(SIGUSR1, &act, NULL) == 0);
	pthread_t t = spawn(suspend_interrupted, NULL);
	wait_for(&begins);
	/* Again and again: the first may come before it waits. */
	while (pthread_tryjoin_np(t, NULL) != 0) {
		pthread_kill(t, SIGUSR1);
		usleep(1000);
	}
}

int main(void)
{
	check(pipe(fd) == 0 && sem_init(&begins, 0, 0) == 0);
	feed(suspend, NULL, "a");
	feed(suspend, "", "b");
	feed(list_io, NULL, "c");
	feed(list_io, "", "d");
	interrupt();
	return 0;
}
