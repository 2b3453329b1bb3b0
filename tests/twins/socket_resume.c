/* Connections that break, and transfers that do not: socket_resume BYTES SEED. Each sender dials again whenever its connection fails in whatever way, is
 * told how much has arrived, and goes on from there; a thread each connection receives. In the end every byte has arrived once, in its order,
 * over TCP and over Unix streams. The program of the fault runs (faults.h); without faults nothing breaks. */
#include <poll.h>
#include <signal.h>
#include <sys/un.h>

#include "faults.h"
#include "twin.h"

enum { SENDERS = 8, LISTENERS = 2, PIECE = 40000, END = SENDERS };

struct transfer {
	unsigned number, seed;
	pthread_mutex_t lock; /* whoever receives it just now */
	size_t arrived;
	bool equal;
	pthread_t thread;
};

struct listener {
	int fd;
	struct sockaddr_storage address;
	socklen_t size;
	pthread_t thread;
};

static struct transfer transfers[SENDERS];
static struct listener listeners[LISTENERS];
static size_t total;
static unsigned connections; /* atomic: those that are being received */
static sem_t go;

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

static char byte_at(unsigned number, size_t i)
{
	return (char)(i * 31 + i / 509 + number * 7);
}

/* What may come of a call for want of something, and may not come again. */
static bool again(void)
{
	return errno == EINTR || errno == ENOBUFS || errno == ENOMEM || errno == EMFILE || errno == ENFILE;
}

/* False: the connection is gone. */
static bool send_whole(int fd, const void *data, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t r = send(fd, (const char *)data + at, n - at, 0);
		if (r < 0 && !again()) {
			check(errno == ECONNRESET || errno == EPIPE);
			return false;
		}
		at += r > 0 ? (size_t)r : 0;
	}
	return true;
}

static bool receive_whole(int fd, void *data, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t r = recv(fd, (char *)data + at, n - at, 0);
		if (r == 0)
			return false;
		if (r < 0 && !again()) {
			check(errno == ECONNRESET);
			return false;
		}
		at += r > 0 ? (size_t)r : 0;
	}
	return true;
}

static void hang_up(int fd)
{
	check(close(fd) == 0 || errno == EINTR);
}

/* ---- The side that receives ---- */

static void receive_rest(int fd, struct transfer *t)
{
	char *buf = malloc(PIECE);
	uint64_t have = t->arrived;
	if (send_whole(fd, &have, sizeof have)) {
		while (t->arrived < total) {
			struct pollfd p = {.fd = fd, .events = POLLIN};
			if (t->seed % 2 && poll(&p, 1, -1) < 0) {
				check(again());
				continue;
			}
			size_t n = 1 + next(&t->seed) % PIECE;
			ssize_t r = recv(fd, buf, n < total - t->arrived ? n : total - t->arrived, 0);
			if (r < 0 && again())
				continue;
			if (r <= 0)
				break;
			for (ssize_t i = 0; i < r; i++, t->arrived++)
				t->equal = t->equal && buf[i] == byte_at(t->number, t->arrived);
		}
		if (t->arrived == total)
			send_whole(fd, "k", 1);
	}
	free(buf);
}

static void *receive(void *arg)
{
	int fd = (int)(long)arg;
	uint32_t number = END;
	if (receive_whole(fd, &number, sizeof number) && number < SENDERS) {
		struct transfer *t = &transfers[number];
		pthread_mutex_lock(&t->lock);
		receive_rest(fd, t);
		pthread_mutex_unlock(&t->lock);
	}
	hang_up(fd);
	__atomic_sub_fetch(&connections, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static bool ending; /* atomic */

static void *serve(void *arg)
{
	struct listener *l = arg;
	wait_for(&go);
	for (;;) {
		int fd = accept(l->fd, NULL, NULL);
		if (fd < 0) {
			check(again() || errno == ECONNABORTED || errno == EPROTO);
			continue;
		}
		if (__atomic_load_n(&ending, __ATOMIC_SEQ_CST)) {
			hang_up(fd);
			return NULL;
		}
		faults(fd, FAULTS_SOFT | FAULTS_HARD | FAULTS_DEAD);
		__atomic_add_fetch(&connections, 1, __ATOMIC_SEQ_CST);
		check(pthread_detach(spawn(receive, (void *)(long)fd)) == 0);
	}
}

/* ---- The side that sends ---- */

static int dial(const struct listener *l)
{
	for (;;) {
		int fd = socket(l->address.ss_family, SOCK_STREAM, 0);
		if (fd < 0) {
			check(again());
			continue;
		}
		faults(fd, FAULTS_SOFT | FAULTS_HARD | FAULTS_DEAD);
		if (connect(fd, (const struct sockaddr *)&l->address, l->size) == 0)
			return fd;
		check(again() || errno == ECONNREFUSED || errno == ETIMEDOUT);
		hang_up(fd);
	}
}

/* Whether all of it has arrived. */
static bool send_rest(int fd, const struct transfer *t, unsigned *seed)
{
	char *buf = malloc(PIECE), answer = 0;
	uint64_t have = 0;
	bool well = send_whole(fd, &t->number, sizeof t->number) && receive_whole(fd, &have, sizeof have);
	for (size_t at = have; well && at < total;) {
		size_t n = 1 + next(seed) % PIECE;
		n = n < total - at ? n : total - at;
		for (size_t i = 0; i < n; i++)
			buf[i] = byte_at(t->number, at + i);
		well = send_whole(fd, buf, n);
		at += n;
	}
	well = well && receive_whole(fd, &answer, 1) && answer == 'k';
	free(buf);
	return well;
}

static void *transmit(void *arg)
{
	struct transfer *t = arg;
	unsigned seed = t->seed;
	bool done = false;
	wait_for(&go);
	for (unsigned i = t->number; !done; i++) {
		int fd = dial(&listeners[i % LISTENERS]);
		done = send_rest(fd, t, &seed);
		hang_up(fd);
	}
	return NULL;
}

static void listen_unix(struct listener *l)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX}; /* autobind: a name that nobody else has (unix(7)) */
	l->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	check(bind(l->fd, (struct sockaddr *)&address, sizeof address.sun_family) == 0 && listen(l->fd, 100) == 0);
	l->size = sizeof l->address;
	check(getsockname(l->fd, (struct sockaddr *)&l->address, &l->size) == 0);
}

int main(int argc, char **argv)
{
	check(argc == 3);
	total = strtoul(argv[1], NULL, 0);
	unsigned seed = (unsigned)strtoul(argv[2], NULL, 0);
	signal(SIGPIPE, SIG_IGN);
	sem_init(&go, 0, 0);
	listeners[0].fd = tcp_listener((struct sockaddr_in *)&listeners[0].address);
	listeners[0].size = sizeof(struct sockaddr_in);
	listen_unix(&listeners[1]);
	for (int i = 0; i < LISTENERS; i++) {
		faults(listeners[i].fd, FAULTS_SOFT | FAULTS_HARD);
		listeners[i].thread = spawn(serve, &listeners[i]);
	}
	for (unsigned i = 0; i < SENDERS; i++) {
		transfers[i] = (struct transfer){.number = i, .seed = next(&seed), .equal = true};
		pthread_mutex_init(&transfers[i].lock, NULL);
		transfers[i].thread = spawn(transmit, &transfers[i]);
	}
	report_threads();
	faults(0, FAULTS_HARD);
	for (int i = 0; i < SENDERS + LISTENERS; i++)
		sem_post(&go);
	for (unsigned i = 0; i < SENDERS; i++)
		join(transfers[i].thread);
	while (__atomic_load_n(&connections, __ATOMIC_SEQ_CST) > 0)
		usleep(1000);
	__atomic_store_n(&ending, true, __ATOMIC_SEQ_CST);
	for (int i = 0; i < LISTENERS; i++) {
		hang_up(dial(&listeners[i]));
		join(listeners[i].thread);
	}
	for (unsigned i = 0; i < SENDERS; i++) {
		printf("transfer %u: %zu bytes, %s\n", i, transfers[i].arrived,
		       transfers[i].equal ? "equal" : "not what was sent");
		check(transfers[i].equal && transfers[i].arrived == total);
	}
	return 0;
}
