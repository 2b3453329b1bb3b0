/* Every MSG_* flag with every call that takes flags, on every kind of socket: receiving what is not there yet, and sending where there is no room yet.
 * What the call answers, what has arrived, and what is left. */
#include <netinet/tcp.h>
#include <sys/uio.h>

#include "twin.h"

/* Declared only where _FORTIFY_SOURCE asks for them. */
ssize_t __recv_chk(int fd, void *to, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *to, size_t n, size_t room, int flags, struct sockaddr *from, socklen_t *size);

enum { WHOLE = 6, SHORT = 4, BLOCK = 4096 };

/* ---- Sockets ---- */

static void tcp(int fd[2])
{
	int on = 1;
	tcp_pair(fd);
	check(setsockopt(fd[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
}

static void udp(int fd[2])
{
	struct sockaddr_in a[2];
	for (int i = 0; i < 2; i++)
		fd[i] = bound(SOCK_DGRAM, &a[i]);
	for (int i = 0; i < 2; i++)
		check(connect(fd[i], (struct sockaddr *)&a[!i], sizeof a[0]) == 0);
}

static void unix_stream(int fd[2])
{
	stream_pair(fd);
}

static void unix_datagrams(int fd[2])
{
	check(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0);
}

static void unix_packets(int fd[2])
{
	check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd) == 0);
}

static const struct kind {
	const char *name;
	void (*make)(int fd[2]);
	bool stream, local, drops;
} kinds[] = {
	{"tcp", tcp, true, false, false},
	{"udp", udp, false, false, true},
	{"unix stream", unix_stream, true, true, false},
	{"unix datagrams", unix_datagrams, false, true, false},
	{"unix packets", unix_packets, false, true, false},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- Flags ---- */

#define FLAG(x)                                                                                                        \
	{                                                                                                              \
#x, x                                                                                                  \
	}
static const struct flag {
	const char *name;
	int bits;
} receiving[] =
	{
		FLAG(0),
		FLAG(MSG_PEEK),
		FLAG(MSG_WAITALL),
		FLAG(MSG_DONTWAIT),
		FLAG(MSG_TRUNC),
		FLAG(MSG_CTRUNC),
		FLAG(MSG_OOB),
		FLAG(MSG_ERRQUEUE),
		FLAG(MSG_NOSIGNAL),
		FLAG(MSG_EOR),
		FLAG(MSG_MORE),
		FLAG(MSG_CONFIRM),
		FLAG(MSG_DONTROUTE),
		FLAG(MSG_WAITFORONE),
		FLAG(MSG_ZEROCOPY),
		FLAG(MSG_CMSG_CLOEXEC),
		FLAG(MSG_PEEK | MSG_TRUNC),
		FLAG(MSG_PEEK | MSG_WAITALL),
		FLAG(MSG_TRUNC | MSG_WAITALL),
		FLAG(MSG_PEEK | MSG_DONTWAIT),
		FLAG(MSG_WAITALL | MSG_DONTWAIT),
		FLAG(MSG_ERRQUEUE | MSG_DONTWAIT),
},
  sending[] = {
	  FLAG(0),
	  FLAG(MSG_DONTWAIT),
	  FLAG(MSG_DONTROUTE),
	  FLAG(MSG_CONFIRM),
	  FLAG(MSG_EOR),
	  FLAG(MSG_MORE),
	  FLAG(MSG_NOSIGNAL),
	  FLAG(MSG_ZEROCOPY),
	  FLAG(MSG_PEEK),
	  FLAG(MSG_WAITALL),
	  FLAG(MSG_TRUNC),
	  FLAG(MSG_CTRUNC),
	  FLAG(MSG_WAITFORONE),
	  FLAG(MSG_ERRQUEUE),
	  FLAG(MSG_OOB),
	  FLAG(MSG_MORE | MSG_DONTWAIT),
	  FLAG(MSG_EOR | MSG_NOSIGNAL),
};

/* ---- Receiving ---- */

static sem_t here, done;

static struct job {
	int fd, flags;
	const char *(*call)(struct job *job);
	size_t room;
	char bytes[BLOCK];
	ssize_t n;
	int error;
	char more[80]; /* what the call tells besides */
} job;

static ssize_t note(ssize_t n)
{
	job.error = errno;
	return job.n = n;
}

static const char *by_recv(struct job *j)
{
	note(recv(j->fd, j->bytes, j->room, j->flags));
	return "recv";
}

static const char *by_recv_chk(struct job *j)
{
	note(__recv_chk(j->fd, j->bytes, j->room, sizeof j->bytes, j->flags));
	return "__recv_chk";
}

static const char *by_recvfrom(struct job *j)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	if (note(recvfrom(j->fd, j->bytes, j->room, j->flags, (struct sockaddr *)&from, &size)) >= 0)
		snprintf(j->more, sizeof j->more, "from %u", (unsigned)size);
	return "recvfrom";
}

static const char *by_recvfrom_chk(struct job *j)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	if (note(__recvfrom_chk(j->fd, j->bytes, j->room, sizeof j->bytes, j->flags, (struct sockaddr *)&from,
				&size)) >= 0)
		snprintf(j->more, sizeof j->more, "from %u", (unsigned)size);
	return "__recvfrom_chk";
}

static void message(struct job *j, struct msghdr *m, struct iovec v[2], struct sockaddr_storage *from)
{
	v[0] = (struct iovec){j->bytes, 1};
	v[1] = (struct iovec){j->bytes + 1, j->room - 1};
	*m = (struct msghdr){.msg_name = from, .msg_namelen = from ? sizeof *from : 0, .msg_iov = v, .msg_iovlen = 2};
}

static const char *by_recvmsg(struct job *j)
{
	struct sockaddr_storage from;
	struct iovec v[2];
	struct msghdr m;
	message(j, &m, v, &from);
	if (note(recvmsg(j->fd, &m, j->flags)) >= 0)
		snprintf(j->more, sizeof j->more, "from %u, flags %#x", (unsigned)m.msg_namelen, (unsigned)m.msg_flags);
	return "recvmsg";
}

static const char *by_recvmmsg(struct job *j)
{
	struct sockaddr_storage from;
	struct iovec v[2];
	struct mmsghdr m = {0};
	message(j, &m.msg_hdr, v, &from);
	if (note(recvmmsg(j->fd, &m, 1, j->flags, NULL)) >= 0)
		snprintf(j->more, sizeof j->more, "%u bytes from %u, flags %#x", m.msg_len,
			 (unsigned)m.msg_hdr.msg_namelen, (unsigned)m.msg_hdr.msg_flags);
	return "recvmmsg";
}

static void *run(void *arg)
{
	sem_post(&here);
	const char *name = job.call(&job);
	printf("  %s: %zd %s, %.*s, %s\n", name, job.n, job.n < 0 ? strerrorname_np(job.error) : "", WHOLE, job.bytes,
	       job.more);
	sem_post(&done);
	return arg;
}

/* What is still there, to the end that is known to come. */
static void show_rest(const struct kind *kind, int fd[2])
{
	char bytes[BLOCK];
	ssize_t n;
	if (kind->stream)
		check(shutdown(fd[1], SHUT_WR) == 0);
	else
		check(send(fd[1], "end", 3, 0) == 3);
	printf("  left:");
	while ((n = recv(fd[0], bytes, sizeof bytes, 0)) > 0 && (kind->stream || memcmp(bytes, "end", 3) != 0))
		printf(" %.*s", (int)n, bytes);
	puts("");
}

static void receives(const struct kind *kind, const struct flag *flag, const char *(*call)(struct job *), size_t room)
{
	int fd[2];
	const bool at_once = (flag->bits & MSG_DONTWAIT) || (flag->bits & MSG_OOB && (kind->stream || kind->local)) ||
			     (flag->bits & MSG_ERRQUEUE && !kind->local);
	/* Where all of it is waited for it comes in two pieces; a peek at a Unix stream takes what has come. */
	const bool pieces =
		(flag->bits & MSG_WAITALL) && (kind->stream ? !(kind->local && flag->bits & MSG_PEEK) : true);
	kind->make(fd);
	memset(&job, 0, sizeof job);
	job.fd = fd[0];
	job.flags = flag->bits;
	job.call = call;
	job.room = room;
	memset(job.bytes, '.', WHOLE);
	pthread_t t = spawn(run, NULL);
	wait_for(&here);
	if (at_once)
		wait_for(&done);
	if (pieces) {
		check(send(fd[1], "abc", 3, 0) == 3);
		check(send(fd[1], "def", 3, 0) == 3);
	} else {
		check(send(fd[1], "abcdef", WHOLE, 0) == WHOLE);
	}
	if (!at_once)
		wait_for(&done);
	join(t);
	show_rest(kind, fd);
	close(fd[0]);
	close(fd[1]);
}

/* ---- Sending ---- */

static const char *by_send(struct job *j)
{
	note(send(j->fd, j->bytes, j->room, j->flags));
	return "send";
}

static const char *by_sendto(struct job *j)
{
	note(sendto(j->fd, j->bytes, j->room, j->flags, NULL, 0));
	return "sendto";
}

static const char *by_sendmsg(struct job *j)
{
	struct iovec v[2];
	struct msghdr m;
	message(j, &m, v, NULL);
	note(sendmsg(j->fd, &m, j->flags));
	return "sendmsg";
}

static const char *by_sendmmsg(struct job *j)
{
	struct iovec v[2];
	struct mmsghdr m = {0};
	message(j, &m.msg_hdr, v, NULL);
	if (note(sendmmsg(j->fd, &m, 1, j->flags)) >= 0)
		snprintf(j->more, sizeof j->more, "%u bytes", m.msg_len);
	return "sendmmsg";
}

/* Full, or the call would not wait; what is dropped never is. How many messages or bytes. */
static size_t fill(const struct kind *kind, int fd)
{
	char block[BLOCK];
	size_t sent = 0;
	ssize_t n;
	if (kind->drops)
		return 0;
	memset(block, '-', sizeof block);
	while ((n = send(fd, block, sizeof block, MSG_DONTWAIT)) > 0)
		sent += kind->stream ? (size_t)n : 1;
	check(errno == EAGAIN);
	return sent;
}

static void *drain(void *arg)
{
	const int fd = *(int *)arg;
	char bytes[BLOCK], last[WHOLE + 1] = "";
	size_t length = 0;
	bool ended = false;
	/* Of a stream what the filling was not; of the rest the message that was not. */
	for (ssize_t n; !ended && (n = recv(fd, bytes, sizeof bytes, 0)) > 0;) {
		ended = n == 3 && memcmp(bytes, "end", 3) == 0;
		for (ssize_t i = 0; i < n && !ended; i++)
			if (bytes[i] != '-' && length < WHOLE)
				last[length++] = bytes[i];
	}
	printf("  arrived: %s\n", last);
	return NULL;
}

static void sends(const struct kind *kind, const struct flag *flag, const char *(*call)(struct job *))
{
	int fd[2];
	const bool at_once = flag->bits & (MSG_DONTWAIT | MSG_OOB);
	kind->make(fd);
	memset(&job, 0, sizeof job);
	job.fd = fd[1];
	job.flags = flag->bits;
	job.call = call;
	job.room = WHOLE;
	memcpy(job.bytes, "abcdef", WHOLE);
	/* A TCP sender that is full may have room again a moment later: what does not wait is asked while there is room. */
	if (!at_once || kind->local)
		fill(kind, fd[1]);
	pthread_t t = spawn(run, NULL);
	wait_for(&here);
	if (at_once && !(flag->bits & MSG_OOB))
		wait_for(&done);
	pthread_t reader = spawn(drain, &fd[0]);
	if (!at_once || (flag->bits & MSG_OOB))
		wait_for(&done);
	join(t);
	/* What MSG_MORE has kept back goes with it. */
	if (kind->stream)
		check(shutdown(fd[1], SHUT_WR) == 0);
	else if (flag->bits & MSG_MORE && kind->drops)
		check(send(fd[1], "", 0, 0) == 0 && send(fd[1], "end", 3, 0) == 3);
	else
		check(send(fd[1], "end", 3, 0) == 3);
	join(reader);
	close(fd[0]);
	close(fd[1]);
}

/* ---- What else a message brings ---- */

/* Two descriptors, and room for so many of them. */
static void passes(int flags, size_t numbers)
{
	int fd[2], passed[2] = {0, 1}, got[2] = {-1, -1};
	char byte = 'x';
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof passed)] = "";
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	stream_pair(fd);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	*c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof passed)};
	memcpy(CMSG_DATA(c), passed, sizeof passed);
	check(sendmsg(fd[1], &m, 0) == 1);
	m.msg_controllen = numbers ? CMSG_LEN(numbers * sizeof(int)) : 0;
	check(recvmsg(fd[0], &m, flags) == 1);
	c = CMSG_FIRSTHDR(&m);
	size_t came = c ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
	check(came <= 2);
	if (c)
		memcpy(got, CMSG_DATA(c), came * sizeof(int));
	printf("room for %zu: %zu came, cut %d\n", numbers, came, !!(m.msg_flags & MSG_CTRUNC));
	for (size_t i = 0; i < came; i++) {
		printf("  closed by exec: %d\n", fcntl(got[i], F_GETFD) & FD_CLOEXEC);
		close(got[i]);
	}
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	static const char *(*const receivers[])(struct job *) = {by_recv,         by_recv_chk, by_recvfrom,
								 by_recvfrom_chk, by_recvmsg,  by_recvmmsg};
	static const char *(*const senders[])(struct job *) = {by_send, by_sendto, by_sendmsg, by_sendmmsg};
	static const size_t rooms[] = {WHOLE, SHORT};
	sem_t go;
	sem_init(&here, 0, 0);
	sem_init(&done, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t parked = spawn(parked_until, &go);
	report_threads();
	for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++) {
		for (size_t f = 0; f < sizeof receiving / sizeof *receiving; f++)
			for (size_t room = 0; room < 2; room++) {
				printf("%s, %s, room for %zu\n", kind->name, receiving[f].name, rooms[room]);
				for (size_t i = 0; i < sizeof receivers / sizeof *receivers; i++)
					receives(kind, &receiving[f], receivers[i], rooms[room]);
			}
		for (size_t f = 0; f < sizeof sending / sizeof *sending; f++) {
			printf("%s, %s\n", kind->name, sending[f].name);
			for (size_t i = 0; i < sizeof senders / sizeof *senders; i++)
				sends(kind, &sending[f], senders[i]);
		}
	}
	for (size_t numbers = 0; numbers <= 2; numbers++) {
		passes(0, numbers);
		passes(MSG_CMSG_CLOEXEC, numbers);
		passes(MSG_WAITALL, numbers);
	}
	sem_post(&go);
	join(parked);
	return 0;
}
