/* 8 MiB in pieces of every size, byte for byte. Arguments: pipe, socket or tcp; plain (read and write) or vector
 * (readv and writev), send (recv and send) or msg (recvmsg and sendmsg). A blocking write must not stop short. */
#include <sys/uio.h>

#include "twin.h"

enum { TOTAL = 8 << 20, PIECE = 150000 };

static int in, out;
static const char *how;
static unsigned char *sent, *got;
static sem_t here;

static unsigned next(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 8;
}

/* Cuts n bytes at p into up to three pieces. */
static int cut(struct iovec v[3], unsigned char *p, size_t n, unsigned *seed)
{
	size_t first = n > 2 ? next(seed) % (n - 1) : 0, second = n > 2 ? next(seed) % (n - first) : 0;
	v[0] = (struct iovec){p, first};
	v[1] = (struct iovec){p + first, second};
	v[2] = (struct iovec){p + first + second, n - first - second};
	return 3;
}

static ssize_t move(bool writing, unsigned char *p, size_t n, unsigned *seed)
{
	struct iovec v[3];
	struct msghdr message = {.msg_iov = v};
	switch (how[0]) {
	case 'p':
		return writing ? write(out, p, n) : read(in, p, n);
	case 's':
		return writing ? send(out, p, n, 0) : recv(in, p, n, 0);
	case 'v':
		cut(v, p, n, seed);
		return writing ? writev(out, v, 3) : readv(in, v, 3);
	default:
		message.msg_iovlen = (size_t)cut(v, p, n, seed);
		return writing ? sendmsg(out, &message, 0) : recvmsg(in, &message, 0);
	}
}

static void *writer(void *arg)
{
	unsigned seed = 7;
	sem_post(&here);
	for (size_t at = 0; at < TOTAL;) {
		size_t n = 1 + next(&seed) % PIECE;
		if (n > TOTAL - at)
			n = TOTAL - at;
		check(move(true, sent + at, n, &seed) == (ssize_t)n);
		at += n;
	}
	close(out);
	return arg;
}

int main(int argc, char **argv)
{
	int fd[2];
	check(argc == 3);
	how = argv[2];
	if (!strcmp(argv[1], "pipe"))
		check(pipe(fd) == 0);
	else if (!strcmp(argv[1], "socket"))
		stream_pair(fd);
	else
		tcp_pair(fd);
	in = fd[0];
	out = fd[1];
	sent = malloc(TOTAL);
	got = malloc(TOTAL + 1);
	unsigned seed = 42;
	for (size_t i = 0; i < TOTAL; i++)
		sent[i] = (unsigned char)next(&seed);

	sem_init(&here, 0, 0);
	pthread_t t = spawn(writer, NULL);
	wait_for(&here);
	report_threads();
	size_t at = 0;
	for (;;) {
		size_t n = 1 + next(&seed) % PIECE;
		if (n > TOTAL + 1 - at)
			n = TOTAL + 1 - at;
		ssize_t r = move(false, got + at, n, &seed);
		check(r >= 0 && r <= (ssize_t)n);
		if (r == 0)
			break;
		at += (size_t)r;
	}
	join(t);
	printf("%zu bytes, equal: %d\n", at, memcmp(sent, got, TOTAL) == 0);
	return 0;
}
