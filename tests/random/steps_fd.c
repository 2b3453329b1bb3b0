/* Steps on descriptors: pipes and socket pairs that many read, write, watch and close.
 *
 * Invariants: bytes come out once and in order; who waits while there is something to read is told in time; after a close nobody is told
 * that the old descriptor is ready, whatever took its number. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/random/random.h"

struct channel {
	int out; /* read here */
	int in;
	bool is_socket;
	unsigned generation;
	uint64_t written, taken;
	unsigned waiting;      /* readers that wait now */
	unsigned users;        /* all who are in a call with one of its descriptors */
	int64_t moved_at;      /* when bytes last came or went */
	int64_t waiting_since; /* when a reader last began or ended to wait */
};

static struct channel channels[CHANNELS];

static void open_channel(struct channel *c, bool is_socket)
{
	int fds[2];
	int r = is_socket ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) : pipe2(fds, O_NONBLOCK);
	check(r == 0, "no descriptors: errno %d", errno);
	*c = (struct channel){.out = fds[0], .in = fds[1], .is_socket = is_socket, .generation = c->generation + 1};
	c->moved_at = c->waiting_since = now_ns();
	note("opens", (uint64_t)c->generation, fds[0]);
}

static void close_one(int fd, bool silently)
{
	if (silently) {
		close(fd);
	} else if (fd % 2) {
		check(gev_close(fd) == 0, "gev_close: errno %d", errno);
	} else {
		world.rt->fd_closing(fd);
		close(fd);
		world.rt->fd_closed(fd);
	}
}

static void close_channel(struct channel *c, bool silently)
{
	c->generation++;
	close_one(c->out, silently);
	close_one(c->in, silently);
	c->out = c->in = -1;
}

void fd_begin(void)
{
	for (int i = 0; i < CHANNELS; i++)
		open_channel(&channels[i], i % 2);
}

/* Everybody who waits for a descriptor learns that it is closed; the channels stay for those who come late. */
void fd_finish(void)
{
	for (int i = 0; i < CHANNELS; i++) {
		if (channels[i].out >= 0)
			close_channel(&channels[i], false);
		if (population)
			open_channel(&channels[i], i % 2);
	}
}

void fd_verify(void)
{
	for (int i = 0; i < CHANNELS; i++) {
		const struct channel *c = &channels[i];
		int64_t since = c->moved_at > c->waiting_since ? c->moved_at : c->waiting_since;
		if (world.virtual_time && c->written > c->taken && c->waiting)
			check(now_ns() - since <= LATE_AT_MOST, "%lu bytes lie in channel %d, and %u readers wait",
			      c->written - c->taken, i, c->waiting);
	}
}

/* One that is open; NULL if the dice find none. */
static struct channel *any(struct rng *r, bool socket)
{
	for (int tries = 0; tries < 6; tries++) {
		struct channel *c = &channels[below(r, CHANNELS)];
		if (c->out >= 0 && (c->is_socket || !socket))
			return c;
	}
	return NULL;
}

static unsigned char byte_at(const struct channel *c, uint64_t at)
{
	return (unsigned char)(at * 7 + c->generation);
}

static void took(struct channel *c, const unsigned char *bytes, ssize_t n)
{
	check(n != 0, "end of file on a channel that is open");
	for (ssize_t i = 0; i < n; i++)
		check(bytes[i] == byte_at(c, c->taken + (uint64_t)i), "bytes were lost, doubled or swapped");
	c->taken += (uint64_t)n;
	c->moved_at = now_ns();
	check(c->taken <= c->written, "more came out than went in");
}

static void gave(struct channel *c, ssize_t n)
{
	if (c->written == c->taken)
		c->moved_at = now_ns();
	c->written += (uint64_t)n;
}

/* Holds the end of a wait on c, begun at `generation`, against what it may be. */
static void check_fd_wait(const struct actor *a, const struct channel *c, unsigned generation, int result,
			  int64_t deadline, unsigned flags)
{
	check_wait(a, result, deadline, flags);
	if (c->generation != generation)
		check(result < 0, "the descriptor was closed meanwhile, and fd_wait gave %d", result);
	else
		check(result != -EBADF, "EBADF, but nobody closed the descriptor");
	check(result > 0 || result == -EBADF || result == -ETIMEDOUT || result == -ECANCELED, "fd_wait: %d", result);
}

static int wait_to_read(const struct actor *a, struct channel *c, int64_t deadline, unsigned flags)
{
	unsigned generation = c->generation;
	c->waiting++;
	c->users++;
	c->waiting_since = now_ns();
	int r = world.rt->fd_wait(c->out, GEV_READABLE, deadline, flags);
	check_fd_wait(a, c, generation, r, deadline, flags);
	if (c->generation != generation)
		return -EBADF;
	c->waiting--;
	c->users--;
	c->waiting_since = now_ns();
	return r;
}

void step_fd_read(struct actor *a)
{
	struct channel *c = any(&a->rng, false);
	if (c == NULL)
		return;
	int64_t deadline = random_deadline(&a->rng);
	unsigned flags = random_flags(&a->rng);
	unsigned char bytes[64];
	if (wait_to_read(a, c, deadline, flags) < 0)
		return;
	ssize_t n = read(c->out, bytes, 1 + below(&a->rng, sizeof bytes));
	if (n < 0)
		check(errno == EAGAIN, "read: errno %d", errno); /* another one was faster */
	else
		took(c, bytes, n);
}

static ssize_t give(struct channel *c, size_t size)
{
	unsigned char bytes[256];
	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_at(c, c->written + i);
	ssize_t n = write(c->in, bytes, size);
	if (n > 0)
		gave(c, n);
	else
		check(n < 0 && errno == EAGAIN, "write: errno %d", errno);
	return n;
}

void fd_help(void)
{
	for (int i = 0; i < CHANNELS; i++) {
		struct channel *c = &channels[i];
		unsigned char bytes[4096];
		if (c->out < 0 || c->users == 0)
			continue;
		for (ssize_t n; (n = read(c->out, bytes, sizeof bytes)) > 0;)
			took(c, bytes, n);
		give(c, c->users);
	}
}

void step_fd_write(struct actor *a)
{
	struct channel *c = any(&a->rng, false);
	if (c == NULL || give(c, 1 + below(&a->rng, one_in(&a->rng, 4) ? 256 : 4)) > 0)
		return;
	int64_t deadline = random_deadline(&a->rng);
	unsigned flags = random_flags(&a->rng);
	unsigned generation = c->generation;
	int events = one_in(&a->rng, 2) ? GEV_WRITABLE : GEV_WRITABLE | GEV_READABLE;
	c->users++;
	check_fd_wait(a, c, generation, world.rt->fd_wait(c->in, events, deadline, flags), deadline, flags);
	c->users -= c->generation == generation;
}

void step_fd_close(struct actor *a)
{
	struct channel *c = any(&a->rng, false);
	if (c == NULL)
		return;
	close_channel(c, world.fault == FAULT_STALE_FD);
	if (one_in(&a->rng, 3))
		gev_yield();
	if (c->out < 0) /* the round may have ended meanwhile */
		open_channel(c, one_in(&a->rng, 2));
	if (world.fault == FAULT_LEAK_FD)
		(void)!dup(c->out);
}

void step_fds_wait(struct actor *a)
{
	enum { MOST = 12 };
	struct gev_fd_want want[MOST];
	size_t n = 1 + below(&a->rng, MOST);
	struct channel *used[MOST];
	unsigned generation[MOST];
	bool told = false; /* whether a close would end it: of odd masks the runtime is not told */
	for (size_t i = 0; i < n; i++) {
		struct channel *c = any(&a->rng, false);
		bool reads = one_in(&a->rng, 2), odd = one_in(&a->rng, 4);
		want[i] = (struct gev_fd_want){.fd = c == NULL ? -1 : reads ? c->out : c->in};
		if (odd)
			want[i].poll_events = reads ? POLLIN : POLLOUT;
		else
			want[i].events = reads ? GEV_READABLE : GEV_WRITABLE;
		told |= c != NULL && !odd;
		used[i] = c;
		generation[i] = c ? c->generation : 0;
	}
	int64_t deadline = random_deadline(&a->rng);
	if (!told && deadline == INT64_MAX)
		return;
	unsigned flags = random_flags(&a->rng);
	for (size_t i = 0; i < n; i++)
		if (used[i])
			used[i]->users++;
	int r = world.rt->fds_wait(want, n, deadline, flags);
	for (size_t i = 0; i < n; i++)
		if (used[i] && used[i]->generation == generation[i])
			used[i]->users--;
	check(r >= 0 || r == -EBADF || r == -ECANCELED || (r == -ETIMEDOUT && may_be_over(a)), "fds_wait: %d", r);
	check(r <= (int)n + 1, "fds_wait counts %d of %zu", r, n);
	check_wait(a, r == 0 ? -ETIMEDOUT : r, deadline, flags);
}

static double random_timeout(struct rng *r)
{
	static const double times[] = {0, 0.0001, 0.001, 0.02, 1};
	return times[below(r, 5)];
}

static void check_call(const struct actor *a, const struct channel *c, unsigned generation, int64_t from,
		       double timeout)
{
	check(errno == ETIMEDOUT || errno == ECANCELED || errno == EBADF, "errno %d", errno);
	check(errno != EBADF || c->generation != generation, "EBADF, but nobody closed the descriptor");
	check(errno != ECANCELED || is_mortal(a), "cancelled, but not killed");
	check(errno != ETIMEDOUT || timeout <= 0 || may_be_over(a) || now_ns() - from >= (int64_t)(timeout * 1e9) - 1,
	      "timed out early");
}

void step_recv(struct actor *a)
{
	struct channel *c = any(&a->rng, true);
	if (c == NULL)
		return;
	unsigned char bytes[32];
	unsigned generation = c->generation;
	double timeout = random_timeout(&a->rng);
	int64_t from = now_ns();
	c->users++;
	ssize_t n = gev_recv(c->out, bytes, 1 + below(&a->rng, sizeof bytes), 0, timeout);
	c->users -= c->generation == generation;
	if (n < 0) {
		check_call(a, c, generation, from, timeout);
		return;
	}
	check(c->generation == generation, "recv read from the descriptor that took the number of a closed one");
	took(c, bytes, n);
}

void step_send(struct actor *a)
{
	struct channel *c = any(&a->rng, true);
	if (c == NULL)
		return;
	unsigned char bytes[64];
	size_t size = 1 + below(&a->rng, sizeof bytes);
	/* What is written must be right for the place where it lands, and others may write while this one waits: so it does not wait. */
	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_at(c, c->written + i);
	int64_t from = now_ns();
	ssize_t n = gev_send(c->in, bytes, size, 0, 0);
	if (n < 0)
		check_call(a, c, c->generation, from, 0);
	else
		gave(c, n);
}
