/* Random operations on descriptors, by several threads, against a model that foretells each answer: fd_random SEED OPERATIONS. What is
 * foretold to wait is left with its thread until something foretold ends the wait; so every answer, every byte and every number is the same in
 * each run. Pipes, Unix and TCP streams, eventfds; read, readv, recv with flags, write, send, poll, dup, dup2, fcntl, ioctl, shutdown, close. */
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "twin.h"

enum { WORKERS = 5, FLOWS = 6, NAMES = 3, ROOM = 3000, PIECE = 900 };

enum what { READ, READV, RECV, PEEK, RECV_AT_ONCE, WRITE, WRITEV, SEND, POLL, COUNT_READ, COUNT_WRITE, OPS };

/* One direction of bytes; an eventfd's number is `held`, and its two ends are one. */
struct flow {
	enum { NONE, PIPE, LOCAL, TCP, COUNTER } kind;
	int in[NAMES], out[NAMES]; /* numbers of its reading and its writing end; -1: none */
	bool in_quick, out_quick;  /* O_NONBLOCK */
	bool ended;                /* by shutdown, or because its last writer went */
	size_t held;
	unsigned char first, next; /* values of the first byte held, and of the next one written */
	struct worker *reader;     /* who waits for bytes */
};

struct worker {
	pthread_t thread;
	sem_t go, done;
	enum what what;
	int fd;
	size_t size;
	unsigned char data[ROOM];
	long result;
	int error;
	bool busy;
};

static struct worker workers[WORKERS];
static struct flow flows[FLOWS];
static uint64_t seed, sum = 14695981039346656037u;
static unsigned long counts[OPS], waited;

static unsigned pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void record(long value)
{
	sum = (sum ^ (uint64_t)value) * 1099511628211u;
}

/* ---- The threads ---- */

static long operate(struct worker *w)
{
	struct iovec v[2] = {{w->data, w->size / 2}, {w->data + w->size / 2, w->size - w->size / 2}};
	struct pollfd p = {.fd = w->fd, .events = POLLIN};
	switch (w->what) {
	case READ:
	case COUNT_READ:
		return read(w->fd, w->data, w->size);
	case READV:
		return readv(w->fd, v, 2);
	case RECV:
		return recv(w->fd, w->data, w->size, 0);
	case PEEK:
		return recv(w->fd, w->data, w->size, MSG_PEEK);
	case RECV_AT_ONCE:
		return recv(w->fd, w->data, w->size, MSG_DONTWAIT);
	case WRITE:
	case COUNT_WRITE:
		return write(w->fd, w->data, w->size);
	case WRITEV:
		return writev(w->fd, v, 2);
	case SEND:
		return send(w->fd, w->data, w->size, 0);
	default:
		return poll(&p, 1, 0) < 0 ? -1 : p.revents & POLLIN;
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	for (wait_for(&w->go); w->fd >= 0; wait_for(&w->go)) {
		errno = 0;
		w->result = operate(w);
		w->error = errno;
		sem_post(&w->done);
	}
	return NULL;
}

static struct worker *idle(void)
{
	unsigned first = pick(WORKERS);
	for (unsigned i = 0; i < WORKERS; i++)
		if (!workers[(first + i) % WORKERS].busy)
			return &workers[(first + i) % WORKERS];
	return NULL;
}

static void begin(struct worker *w, enum what what, int fd, size_t size)
{
	w->what = what;
	w->fd = fd;
	w->size = size;
	w->busy = true;
	counts[what]++;
	sem_post(&w->go);
}

static void finish(struct worker *w, long result, int error)
{
	wait_for(&w->done);
	w->busy = false;
	if (w->result != result || (result < 0 && w->error != error)) {
		fprintf(stderr, "operation %d on %d of %zu: %ld %s, foretold %ld %s\n", w->what, w->fd, w->size,
			w->result, strerrorname_np(w->error), result, strerrorname_np(error));
		check(!"as foretold");
	}
	record(w->what);
	record(result);
	record(error);
}

/* ---- The model ---- */

static int a_name(const int *names)
{
	unsigned first = pick(NAMES);
	for (unsigned i = 0; i < NAMES; i++)
		if (names[(first + i) % NAMES] >= 0)
			return names[(first + i) % NAMES];
	return -1;
}

static int how_many(const int *names)
{
	int n = 0;
	for (int i = 0; i < NAMES; i++)
		n += names[i] >= 0;
	return n;
}

static void take(struct flow *f, struct worker *w, bool leave)
{
	size_t n = f->held < w->size ? f->held : w->size;
	finish(w, (long)n, 0);
	for (size_t i = 0; i < n; i++)
		check(w->data[i] == (unsigned char)(f->first + i));
	if (!leave) {
		f->first = (unsigned char)(f->first + n);
		f->held -= n;
	}
}

/* The one who waits, if there is something for him now. */
static void serve(struct flow *f)
{
	struct worker *w = f->reader;
	if (w == NULL || (f->held == 0 && !f->ended))
		return;
	f->reader = NULL;
	waited++;
	take(f, w, w->what == PEEK);
}

static void receive(struct flow *f, struct worker *w)
{
	static const enum what ways[] = {READ, READV, RECV, PEEK, RECV_AT_ONCE};
	enum what what = ways[pick(f->kind == PIPE ? 2 : 5)];
	begin(w, what, a_name(f->in), 1 + pick(PIECE));
	if (f->held > 0 || f->ended)
		take(f, w, what == PEEK);
	else if (f->in_quick || what == RECV_AT_ONCE)
		finish(w, -1, EAGAIN);
	else
		f->reader = w;
}

static void transmit(struct flow *f, struct worker *w)
{
	static const enum what ways[] = {WRITE, WRITEV, SEND};
	size_t n = 1 + pick(PIECE);
	int fd = a_name(f->out);
	if (fd < 0 || f->ended || f->held + n > ROOM)
		return;
	for (size_t i = 0; i < n; i++)
		w->data[i] = f->next++;
	begin(w, ways[pick(f->kind == PIPE ? 2 : 3)], fd, n);
	finish(w, (long)n, 0);
	f->held += n;
	/* What was sent over TCP is there a moment later. */
	for (struct pollfd p = {.fd = a_name(f->in), .events = POLLIN}; f->kind == TCP && f->reader == NULL;) {
		int queued = 0;
		if (ioctl(p.fd, FIONREAD, &queued) == 0 && (size_t)queued == f->held)
			break;
		usleep(50);
	}
	serve(f);
}

static void count(struct flow *f, struct worker *w)
{
	uint64_t value = 1 + pick(5);
	if (pick(2) == 0) {
		memcpy(w->data, &value, sizeof value);
		begin(w, COUNT_WRITE, a_name(f->in), sizeof value);
		finish(w, sizeof value, 0);
		f->held += value;
	} else if (f->reader) {
		return;
	} else {
		begin(w, COUNT_READ, a_name(f->in), sizeof value);
		if (f->held == 0 && f->in_quick) {
			finish(w, -1, EAGAIN);
			return;
		}
		f->reader = w;
	}
	if (f->reader && f->held > 0) {
		w = f->reader;
		f->reader = NULL;
		finish(w, sizeof value, 0);
		memcpy(&value, w->data, sizeof value);
		check(value == f->held);
		f->held = 0;
	}
}

static void look(struct flow *f, struct worker *w)
{
	/* The end of a TCP stream, too, comes a moment later. */
	if (f->ended && f->kind == TCP)
		return;
	begin(w, POLL, a_name(f->in), 0);
	finish(w, f->held > 0 || (f->ended && f->kind != PIPE) ? POLLIN : 0, 0);
}

/* ---- What is done to numbers ---- */

static void make(struct flow *f)
{
	int fd[2];
	*f = (struct flow){.kind = (int[]){PIPE, LOCAL, TCP, COUNTER}[pick(4)]};
	memset(f->in, -1, sizeof f->in);
	memset(f->out, -1, sizeof f->out);
	if (f->kind == PIPE) {
		check(pipe(fd) == 0);
	} else if (f->kind == LOCAL) {
		stream_pair(fd);
	} else if (f->kind == TCP) {
		/* Or small pieces wait for an acknowledgement that is delayed by 40 ms (RFC 1122, 4.2.3.2). */
		int on = 1;
		tcp_pair(fd);
		check(setsockopt(fd[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
	} else {
		fd[0] = eventfd(0, 0);
		fd[1] = -1;
	}
	f->in[0] = fd[0];
	f->out[0] = fd[1];
	record(fd[0]);
	record(fd[1]);
}

static void end_flow(struct flow *f)
{
	if (f->reader)
		return;
	for (int i = 0; i < NAMES; i++) {
		if (f->in[i] >= 0)
			check(close(f->in[i]) == 0);
		if (f->out[i] >= 0)
			check(close(f->out[i]) == 0);
	}
	f->kind = NONE;
}

static void copy(int *names)
{
	int free_name = -1, fd = a_name(names), r;
	for (int i = 0; i < NAMES; i++)
		if (names[i] < 0)
			free_name = i;
	if (free_name < 0 || fd < 0)
		return;
	switch (pick(3)) {
	case 0:
		r = dup(fd);
		break;
	case 1:
		r = fcntl(fd, F_DUPFD_CLOEXEC, 10 + (int)pick(30));
		break;
	default:
		/* Onto a number that is taken by nobody. */
		r = dup(0);
		check(r >= 0 && dup2(fd, r) == r);
	}
	check(r >= 0);
	record(r);
	names[free_name] = r;
}

/* A name less, but not the last, and not one that somebody waits on. */
static void forget(struct flow *f, int *names)
{
	int i = (int)pick(NAMES);
	if (names[i] < 0 || (names == f->in && f->reader && f->reader->fd == names[i]))
		return;
	bool last = how_many(names) == 1;
	if (last && (names == f->in || f->kind == COUNTER))
		return;
	check(close(names[i]) == 0);
	names[i] = -1;
	if (last) {
		f->ended = true;
		serve(f);
	}
}

static void hurry(struct flow *f)
{
	bool wanted = pick(2) == 0;
	int fd = a_name(f->in), on = wanted;
	if (f->reader)
		return;
	if (pick(2))
		check(ioctl(fd, FIONBIO, &on) == 0);
	else
		check(fcntl(fd, F_SETFL, wanted ? O_NONBLOCK : 0) == 0);
	f->in_quick = wanted;
	fd = a_name(f->in);
	check(!!(fcntl(fd, F_GETFL) & O_NONBLOCK) == wanted);
}

static void half_close(struct flow *f)
{
	int fd = a_name(f->out);
	if ((f->kind != LOCAL && f->kind != TCP) || fd < 0 || f->ended || pick(4))
		return;
	check(shutdown(fd, SHUT_WR) == 0);
	f->ended = true;
	/* So that it has come. */
	struct pollfd p = {.fd = a_name(f->in), .events = POLLRDHUP};
	check(poll(&p, 1, 10000) == 1);
	serve(f);
}

static void step(void)
{
	struct flow *f = &flows[pick(FLOWS)];
	struct worker *w = idle();
	unsigned what = pick(100);
	if (f->kind == NONE)
		make(f);
	else if (what < 35 && w && f->kind == COUNTER)
		count(f, w);
	else if (what < 35 && w)
		transmit(f, w);
	else if (what < 70 && w && f->reader == NULL && f->kind != COUNTER)
		receive(f, w);
	else if (what < 76 && w && f->reader == NULL)
		look(f, w);
	else if (what < 82)
		copy(pick(2) ? f->in : f->out);
	else if (what < 89)
		forget(f, pick(2) ? f->in : f->out);
	else if (what < 94)
		hurry(f);
	else if (what < 98)
		half_close(f);
	else
		end_flow(f);
	/* Somebody must be left to do something. */
	if (idle() == NULL)
		for (int i = 0; i < FLOWS; i++)
			if (flows[i].reader && flows[i].kind != COUNTER) {
				for (int k = 0; k < NAMES; k++)
					if (flows[i].out[k] >= 0) {
						check(close(flows[i].out[k]) == 0);
						flows[i].out[k] = -1;
					}
				flows[i].ended = true;
				serve(&flows[i]);
				return;
			}
}

int main(int argc, char **argv)
{
	check(argc == 3);
	seed = strtoull(argv[1], NULL, 0) * 2654435761u + 1;
	for (int i = 0; i < WORKERS; i++) {
		sem_init(&workers[i].go, 0, 0);
		sem_init(&workers[i].done, 0, 0);
		workers[i].thread = spawn(work, &workers[i]);
	}
	report_threads();
	long n = atol(argv[2]);
	for (long i = 0; i < n; i++)
		step();
	for (int i = 0; i < FLOWS; i++) {
		struct flow *f = &flows[i];
		uint64_t one = 1;
		if (f->reader && f->kind == COUNTER) {
			check(write(a_name(f->in), &one, sizeof one) == sizeof one);
			finish(f->reader, sizeof one, 0);
			f->reader = NULL;
		} else if (f->reader) {
			while (a_name(f->out) >= 0)
				for (int k = 0; k < NAMES; k++)
					if (f->out[k] >= 0) {
						close(f->out[k]);
						f->out[k] = -1;
					}
			f->ended = true;
			serve(f);
		}
		if (f->kind != NONE)
			end_flow(f);
	}
	for (int i = 0; i < WORKERS; i++) {
		workers[i].fd = -1;
		sem_post(&workers[i].go);
		join(workers[i].thread);
	}
	for (int i = 0; i < OPS; i++)
		printf("operation %d: %lu\n", i, counts[i]);
	printf("%lu waited; %016llx\n", waited, (unsigned long long)sum);
	return 0;
}
