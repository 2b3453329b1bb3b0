/* Bytes through every pair of calls, over everything they work on, all at once: io_transfer BYTES SEED [NAME [KIND]]. In pieces of random size, with random
 * delays on both sides; what arrives is what was sent, in its order, and no more. NAME: only the pairs whose name begins so; KIND: on that only.
 *
 * What a call may answer besides, a correct program tries again: so this is the program of the fault runs too (faults.h). */
#include <locale.h>
#include <pty.h>
#include <sched.h>
#include <sys/mman.h>

#include "faults.h"
#include "transfer_pairs.h"

static size_t total;
static sem_t go;

/* ---- A flow ---- */

static void make_queue(int fd[2])
{
	struct mq_attr about = {.mq_maxmsg = 4, .mq_msgsize = 4000};
	char name[32];
	snprintf(name, sizeof name, "/transfer-%d", (int)getpid());
	fd[1] = mq_open(name, O_WRONLY | O_CREAT | O_EXCL, 0600, &about);
	check(fd[1] >= 0);
	fd[0] = mq_open(name, O_RDONLY);
	check(fd[0] >= 0 && mq_unlink(name) == 0);
}

static void make(struct flow *f)
{
	int fd[2], type = f->kind == 'd' ? SOCK_DGRAM : SOCK_SEQPACKET;
	struct termios raw;
	cfmakeraw(&raw);
	switch (f->kind) {
	case 'p':
		check(pipe(fd) == 0);
		break;
	case 'u':
		stream_pair(fd);
		break;
	case 't':
		tcp_pair(fd);
		break;
	case 'y':
		check(openpty(&fd[1], &fd[0], NULL, NULL, NULL) == 0);
		check(tcgetattr(fd[0], &raw) == 0);
		cfmakeraw(&raw);
		check(tcsetattr(fd[0], TCSANOW, &raw) == 0);
		break;
	case 'f':
		fd[0] = fd[1] = memfd_create("file", 0);
		check(fd[0] >= 0);
		break;
	case 'q':
		make_queue(fd);
		break;
	case 'v':
		fd[0] = fd[1] = msgget(IPC_PRIVATE, 0600);
		check(fd[0] >= 0);
		break;
	default:
		check(socketpair(AF_UNIX, type, 0, fd) == 0);
	}
	f->in = fd[0];
	f->out = fd[1];
	if (f->pair->put == put_splice || f->pair->put == put_tee)
		check(pipe(f->put_side) == 0 && pipe(f->get_side) == 0);
	if (f->pair->mode) {
		int how = f->pair->mode[0] == 'u' ? _IONBF : f->pair->mode[0] == 'l' ? _IOLBF : _IOFBF;
		f->reads = fdopen(f->in, "r");
		f->writes = f->pair->put == put_dprintf || f->pair->put == put_dprintf_chk ? NULL : fdopen(f->out, "w");
		if (how != _IOFBF)
			check(setvbuf(f->reads, NULL, how, 0) == 0 && setvbuf(f->writes, NULL, how, 0) == 0);
	}
	/* A stream may lose what it has buffered when its write fails, natively too. */
	int what = f->pair->mode || f->kind == 'y' ? FAULTS_SOFT : FAULTS_SOFT | FAULTS_HARD;
	if (f->kind == 'q' || f->kind == 'v')
		return;
	faults(f->in, what);
	faults(f->out, what);
}

static void delay(unsigned *seed, unsigned *left)
{
	unsigned what = next(seed) % 64;
	if (what == 0 && *left > 0) {
		--*left;
		usleep(next(seed) % 200);
	} else if (what < 4) {
		sched_yield();
	}
}

/* Many small ones, some big ones. */
static size_t piece(const struct flow *f, unsigned *seed, size_t left)
{
	static const unsigned sizes[] = {16, 1500, 10000, PIECE};
	size_t most = f->pair->most ? f->pair->most : PIECE, n = 1 + next(seed) % sizes[next(seed) % 4];
	n = n < most ? n : most;
	return n < left ? n : left;
}

static bool again(void)
{
	return errno == EINTR || errno == ENOBUFS || errno == ENOMEM;
}

static void end(struct flow *f)
{
	if (f->kind == 'f')
		sem_post(&f->written);
	else if (f->writes)
		check(fclose(f->writes) == 0);
	else if (f->kind == 'd') /* its end is a message of nothing */
		while (send(f->out, "", 0, 0) < 0)
			check(again());
	else if (f->kind == 'q')
		while (mq_send(f->out, "", 0, 0) < 0)
			check(again());
	else if (f->kind == 'v')
		while (msgsnd(f->out, &(struct queued){.type = 1}, 0, 0) < 0)
			check(again());
	else
		check(close(f->out) == 0 || errno == EINTR);
}

static void *writer(void *arg)
{
	struct flow *f = arg;
	unsigned delays = DELAYS;
	wait_for(&go);
	for (size_t at = 0; at < total;) {
		delay(&f->put_seed, &delays);
		ssize_t n = f->pair->put(f, (char *)f->source + at, piece(f, &f->put_seed, total - at));
		check(n > 0 || again());
		at += n > 0 ? (size_t)n : 0;
	}
	/* The end of a terminal is not the end of what was written to it. */
	if (f->kind == 'y') {
		if (f->writes)
			check(fflush(f->writes) == 0);
		wait_for(&f->written);
	}
	end(f);
	return NULL;
}

static void *reader(void *arg)
{
	struct flow *f = arg;
	unsigned delays = DELAYS;
	char *got = malloc(PIECE + 1);
	f->equal = true;
	wait_for(&go);
	if (f->kind == 'f')
		wait_for(&f->written);
	while (!f->ended && (f->kind != 'y' || f->arrived < total)) {
		size_t n = piece(f, &f->get_seed, PIECE);
		if (f->pair->most || f->pair->get == get_getline || f->pair->get == get_getdelim)
			n = PIECE;
		/* What is longer than its room would be lost. */
		if (f->pair->most && f->pair->get == get_recvmmsg)
			n = (size_t)MESSAGES * f->pair->most;
		if (f->kind == 'y' && n > total - f->arrived)
			n = total - f->arrived;
		delay(&f->get_seed, &delays);
		ssize_t r = f->pair->get(f, got, n);
		check(r >= 0 || again());
		if (r == 0)
			break;
		if (r < 0)
			continue;
		f->equal = f->equal && f->arrived + (size_t)r <= total &&
			   memcmp(got, f->source + f->arrived, (size_t)r) == 0;
		f->arrived += (size_t)r;
	}
	if (f->kind == 'y')
		sem_post(&f->written);
	if (f->reads)
		check(fclose(f->reads) == 0);
	else if (f->kind == 'v')
		check(msgctl(f->in, IPC_RMID, NULL) == 0);
	else
		check(close(f->in) == 0 || errno == EINTR);
	free(got);
	return NULL;
}

static char *make_source(bool lines, unsigned seed)
{
	char *p = malloc(total);
	check(p != NULL);
	for (size_t i = 0; i < total; i++) {
		unsigned c = next(&seed);
		/* No line longer than those who read one have room for. */
		p[i] = lines ? (char)(c % 80 == 0 || i % (LINE / 2) == 0 ? '\n' : ' ' + c / 80 % 95) : (char)c;
	}
	return p;
}

int main(int argc, char **argv)
{
	static struct flow flows[128];
	static pthread_t threads[2 * 128];
	size_t n = 0;
	check(argc >= 3 && setlocale(LC_ALL, "C.UTF-8"));
	total = strtoul(argv[1], NULL, 0);
	unsigned seed = (unsigned)strtoul(argv[2], NULL, 0);
	char *bytes = make_source(false, seed), *text = make_source(true, seed);
	int file = memfd_create("source", 0);
	write_all(file, bytes, total);
	sem_init(&go, 0, 0);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		if (argc > 3 && strncmp(pairs[i].name, argv[3], strlen(argv[3])) != 0)
			continue;
		for (const char *kind = pairs[i].on; *kind; kind++) {
			if (argc > 4 && *kind != *argv[4])
				continue;
			struct flow *f = &flows[n++];
			*f = (struct flow){.pair = &pairs[i], .kind = *kind, .source_file = file};
			f->source = pairs[i].text ? text : bytes;
			f->put_seed = next(&seed);
			f->get_seed = next(&seed);
			sem_init(&f->written, 0, 0);
			make(f);
		}
	}
	for (size_t i = 0; i < n; i++) {
		threads[2 * i] = spawn(writer, &flows[i]);
		threads[2 * i + 1] = spawn(reader, &flows[i]);
	}
	report_threads();
	for (size_t i = 0; i < 2 * n; i++)
		sem_post(&go);
	for (size_t i = 0; i < 2 * n; i++)
		join(threads[i]);
	for (size_t i = 0; i < n; i++) {
		printf("%s, %c: %zu bytes, %s\n", flows[i].pair->name, flows[i].kind, flows[i].arrived,
		       flows[i].equal && flows[i].arrived == total ? "equal" : "not what was sent");
		check(flows[i].equal && flows[i].arrived == total);
	}
	return 0;
}
