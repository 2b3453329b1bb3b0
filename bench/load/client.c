/* client.c: the load itself.
 *
 * One thread, one level-triggered epoll set, no memory taken after client_open. An answer costs one recv, and the next
 * request follows at once with one send (or in its turn, where a rate is asked for): as little as possible beside the
 * server's own work, because on a small machine the client is half of what is measured.
 *
 * Invariant: under_way == number of connections with busy set. A connection that failed has fd -1 and is never busy.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "now.h"
#include "open.h"

enum { BATCH = 1024 };

struct connection {
	uint64_t since; /* when the request under way was sent, ns */
	int fd;
	uint32_t turn;
	uint32_t sent; /* bytes of the request that the kernel has taken */
	uint32_t got;  /* bytes of the answer that have come */
	bool busy;
	bool wrong; /* the answer so far differs */
	bool full;  /* the socket took only a part: EPOLLOUT is watched */
};

struct client {
	const struct options *options;
	struct connection *connections;
	char *buffer;
	int poller;
	unsigned under_way;
	uint64_t left;     /* requests still to be sent in this run */
	uint64_t until;    /* no request is sent after this time, ns */
	uint64_t interval; /* ns from one request to the next; 0: each follows the last answer of its connection */
	uint64_t due;      /* with an interval: when the next request ought to leave */
	struct connection **idle; /* a ring: the connections that wait for their turn */
	uint64_t idle_in, idle_out;
	struct result *result;
	struct latency *latency;
};

static void watch(struct client *client, struct connection *c, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = c};

	if (epoll_ctl(client->poller, operation, c->fd, &event) < 0) {
		perror("load: epoll_ctl");
		exit(1);
	}
}

static void fail(struct client *client, struct connection *c)
{
	client->result->errors++;
	client->under_way -= c->busy;
	c->busy = false;
	close(c->fd);
	c->fd = -1;
}

static size_t place(const struct client *client, const struct connection *c)
{
	return message_place((uint32_t)(c - client->connections), c->turn);
}

/* Sends the rest of the request; a full socket is waited for. */
static void push(struct client *client, struct connection *c)
{
	size_t size = client->options->size;
	ssize_t n = send(c->fd, message_pool + place(client, c) + c->sent, size - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		fail(client, c);
		return;
	}
	c->sent += n > 0 ? (uint32_t)n : 0;
	if (c->full != (c->sent < size)) {
		c->full = !c->full;
		watch(client, c, EPOLL_CTL_MOD, c->full ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
}

/* The request is measured from `since`. */
static void send_next(struct client *client, struct connection *c, uint64_t since)
{
	if (client->left == 0 || since >= client->until)
		return;
	client->left--;
	client->under_way++;
	c->busy = true;
	c->wrong = false;
	c->turn++;
	c->sent = 0;
	c->got = 0;
	c->since = since;
	push(client, c);
}

static void put_idle(struct client *client, struct connection *c)
{
	client->idle[client->idle_in++ % client->options->connections] = c;
}

/* Sends the requests whose time has come. One that finds no connection idle leaves late and is measured from when
 * it ought to have left: a server that stalls does not get fewer requests to be late with. Whether one is still to
 * come. */
static bool send_due(struct client *client)
{
	uint64_t now = now_ns();

	while (client->idle_in != client->idle_out && client->due <= now && client->due < client->until &&
	       client->left) {
		struct connection *c = client->idle[client->idle_out++ % client->options->connections];

		if (c->fd < 0)
			continue; /* it was closed while it waited, and counted as an error then */
		send_next(client, c, client->due);
		client->due += client->interval;
	}
	return client->idle_in != client->idle_out && client->due < client->until && client->left;
}

static void answered(struct client *client, struct connection *c)
{
	uint64_t now;

	client->under_way--;
	c->busy = false;
	client->result->requests++;
	client->result->wrong += c->wrong;
	now = now_ns();
	if (client->latency)
		latency_add(client->latency, now > c->since ? now - c->since : 0);
	if (client->interval)
		put_idle(client, c);
	else
		send_next(client, c, now);
}

static void pull(struct client *client, struct connection *c)
{
	size_t size = client->options->size;
	/* one byte more than is missing: an answer that is too long shows */
	ssize_t n = recv(c->fd, client->buffer, size - c->got + 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !c->busy || (size_t)n > c->sent - c->got) {
		client->result->wrong += n > 0; /* bytes that nobody asked for */
		fail(client, c);
		return;
	}
	if (memcmp(client->buffer, message_answer + place(client, c) + c->got, (size_t)n) != 0)
		c->wrong = true;
	c->got += (uint32_t)n;
	if (c->got == size)
		answered(client, c);
}

/* Waits for answers and handles them; whether anything came. `timed`: only until the next request is due. */
static bool turn(struct client *client, bool timed)
{
	struct epoll_event events[BATCH];
	int64_t wait = (int64_t)(client->options->patience * 1e9);
	uint64_t now = now_ns();
	struct timespec limit;
	int n;

	if (timed)
		wait = client->due > now ? (int64_t)(client->due - now) : 0;
	limit = (struct timespec){.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
	n = epoll_pwait2(client->poller, events, BATCH, &limit, NULL);
	for (int i = 0; i < n; i++) {
		struct connection *c = events[i].data.ptr;

		if (events[i].events & EPOLLOUT)
			push(client, c);
		if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
			pull(client, c);
	}
	return n > 0;
}

static void begin(struct client *client, uint64_t now)
{
	client->due = now;
	client->idle_in = client->idle_out = 0;
	for (unsigned i = 0; i < client->options->active; i++) {
		struct connection *c = &client->connections[i];

		if (c->fd >= 0 && client->interval)
			put_idle(client, c);
		else if (c->fd >= 0)
			send_next(client, c, now_ns());
	}
}

void client_run(struct client *client, uint64_t requests, double seconds, double rate, struct result *result,
		struct latency *latency)
{
	uint64_t from = now_ns();
	bool more;

	client->result = result;
	client->latency = latency;
	client->left = requests ? requests : UINT64_MAX;
	client->until = requests ? UINT64_MAX : from + (uint64_t)(seconds * 1e9);
	client->interval = rate > 0 ? (uint64_t)(1e9 / rate) : 0;
	begin(client, from);
	while ((more = client->interval && send_due(client)) || client->under_way > 0)
		if (!turn(client, more) && !more)
			break; /* the patience is at its end */
	result->seconds = (double)(now_ns() - from) / 1e9;
	for (unsigned i = 0; client->under_way > 0 && i < client->options->active; i++)
		if (client->connections[i].busy)
			fail(client, &client->connections[i]);
}

/* A message and its answer, blocking; not a big one, or both sides could wait for each other to read. */
static int greet(struct client *client, struct connection *c)
{
	size_t size = client->options->size < 1024 ? client->options->size : 1024;

	if (send_whole(c->fd, message_pool + place(client, c), size) < 0 || recv_whole(c->fd, client->buffer, size) < 0)
		return -1;
	client->result->requests++;
	client->result->wrong += memcmp(client->buffer, message_answer + place(client, c), size) != 0;
	return 0;
}

/* Whether the server could be reached; one that cannot will not be there for the next one either. */
static bool open_one(struct client *client, struct connection *c)
{
	c->fd = open_connection(client->options);
	if (c->fd < 0 || greet(client, c) < 0) {
		fprintf(stderr, "load: connection %u: %s\n", (unsigned)(c - client->connections), strerror(errno));
		client->result->errors++;
		if (c->fd >= 0)
			close(c->fd);
		c->fd = -1;
		return false;
	}
	watch(client, c, EPOLL_CTL_ADD, EPOLLIN);
	return true;
}

struct client *client_open(const struct options *options, struct result *result)
{
	struct client *client = calloc(1, sizeof(*client));
	struct rlimit limit;
	bool good = true;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (!client)
		return NULL;
	client->options = options;
	client->result = result;
	client->connections = calloc(options->connections, sizeof(*client->connections));
	client->idle = calloc(options->connections, sizeof(struct connection *));
	client->buffer = malloc(options->size + 1);
	client->poller = epoll_create1(EPOLL_CLOEXEC);
	if (!client->connections || !client->idle || !client->buffer || client->poller < 0 ||
	    message_init(options->size) < 0) {
		client_free(client);
		return NULL;
	}
	for (unsigned i = 0; i < options->connections; i++) {
		client->connections[i].fd = -1;
		if (good)
			good = open_one(client, &client->connections[i]);
		else
			result->errors++;
	}
	return client;
}

unsigned client_alive(const struct client *client)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < client->options->connections; i++)
		alive += client->connections[i].fd >= 0;
	return alive;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	for (unsigned i = 0; client->connections && i < client->options->connections; i++)
		if (client->connections[i].fd > 0)
			close(client->connections[i].fd);
	if (client->poller >= 0)
		close(client->poller);
	free(client->connections);
	free(client->idle);
	free(client->buffer);
	free(client);
}
