/* brief.c: brief_run.
 *
 * One thread, level-triggered epoll. Each slot goes round: connect, send, receive, close. The side that closes
 * first keeps the port for a minute (TIME_WAIT), and that is this one; so slots use source addresses of their own
 * out of 127.0.0.0/8, each with a range of ports to itself.
 */
#include "brief.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"
#include "now.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24 /* linux/in.h: the port is chosen by connect, so it can be shared between targets */
#endif

enum { BATCH = 256 };

struct slot {
	uint64_t since;
	int fd; /* -1: between two connections */
	uint32_t turn;
	size_t got;
	bool connected;
	bool wrong; /* the answer so far differs */
};

struct brief {
	const struct options *options;
	struct slot *slots;
	char *buffer;
	int poller;
	unsigned under_way;
	uint64_t left, until;
	struct result *result;
	struct latency *latency;
};

static size_t place(const struct brief *brief, const struct slot *slot)
{
	return message_place((uint32_t)(slot - brief->slots), slot->turn);
}

static void hang_up(struct brief *brief, struct slot *slot)
{
	close(slot->fd);
	slot->fd = -1;
	brief->under_way--;
}

static void dial(struct brief *brief, struct slot *slot)
{
	struct sockaddr_in source = {.sin_family = AF_INET};
	struct epoll_event event = {.events = EPOLLOUT, .data.ptr = slot};
	const int on = 1;

	slot->fd = -1;
	slot->since = now_ns();
	if (brief->left == 0 || slot->since >= brief->until)
		return;
	brief->left--;
	slot->turn++;
	slot->got = 0;
	slot->connected = false;
	slot->wrong = false;
	/* 127.1.0.1 and on */
	source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 0x10000 + (uint32_t)(slot - brief->slots) % 60000);
	slot->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (slot->fd < 0) {
		brief->result->errors++;
		return;
	}
	brief->under_way++;
	setsockopt(slot->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	setsockopt(slot->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(slot->fd, (struct sockaddr *)&source, sizeof(source)) < 0 ||
	    (connect(slot->fd, (const struct sockaddr *)&brief->options->server, sizeof(source)) < 0 &&
	     errno != EINPROGRESS) ||
	    epoll_ctl(brief->poller, EPOLL_CTL_ADD, slot->fd, &event) < 0) {
		brief->result->errors++;
		hang_up(brief, slot);
	}
}

/* The connection stands, or has failed: the send tells which. A message goes out whole: its socket is empty. */
static bool ask(struct brief *brief, struct slot *slot)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};
	ssize_t size = (ssize_t)brief->options->size;

	slot->connected = true;
	return send(slot->fd, message_pool + place(brief, slot), (size_t)size, MSG_NOSIGNAL) == size &&
	       epoll_ctl(brief->poller, EPOLL_CTL_MOD, slot->fd, &event) == 0;
}

/* Whether to go on with this connection: false once it has been answered, rightly or not, or has failed. */
static bool hear(struct brief *brief, struct slot *slot)
{
	size_t size = brief->options->size;
	ssize_t n = recv(slot->fd, brief->buffer, size - slot->got, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		brief->result->errors++;
		return false;
	}
	if (memcmp(brief->buffer, message_answer + place(brief, slot) + slot->got, (size_t)n) != 0)
		slot->wrong = true;
	slot->got += (size_t)n;
	if (slot->got < size)
		return true;
	brief->result->requests++;
	brief->result->wrong += slot->wrong;
	if (brief->latency)
		latency_add(brief->latency, now_ns() - slot->since);
	return false;
}

static void handle(struct brief *brief, struct slot *slot)
{
	bool more;

	if (!slot->connected) {
		more = ask(brief, slot);
		brief->result->errors += !more;
	} else {
		more = hear(brief, slot);
	}
	if (!more) {
		hang_up(brief, slot);
		dial(brief, slot);
	}
}

static void run(struct brief *brief)
{
	struct epoll_event events[BATCH];

	for (unsigned i = 0; i < brief->options->connections; i++)
		dial(brief, &brief->slots[i]);
	while (brief->under_way > 0) {
		int n = epoll_wait(brief->poller, events, BATCH, (int)(brief->options->patience * 1000));

		if (n == 0)
			break;
		for (int i = 0; i < n; i++)
			handle(brief, events[i].data.ptr);
	}
	for (unsigned i = 0; i < brief->options->connections; i++)
		if (brief->slots[i].fd >= 0) {
			brief->result->errors++;
			hang_up(brief, &brief->slots[i]);
		}
}

int brief_run(const struct options *options, uint64_t requests, double seconds, struct result *result,
	      struct latency *latency)
{
	uint64_t from = now_ns();
	struct brief brief = {
		.options = options,
		.slots = calloc(options->connections, sizeof(struct slot)),
		.buffer = malloc(options->size),
		.poller = epoll_create1(EPOLL_CLOEXEC),
		.left = requests ? requests : UINT64_MAX,
		.until = requests ? UINT64_MAX : from + (uint64_t)(seconds * 1e9),
		.result = result,
		.latency = latency,
	};
	bool good =
		brief.slots && brief.buffer && brief.poller >= 0 && (message_pool || message_init(options->size) == 0);

	if (good)
		run(&brief);
	result->seconds = (double)(now_ns() - from) / 1e9;
	if (brief.poller >= 0)
		close(brief.poller);
	free(brief.slots);
	free(brief.buffer);
	return good ? 0 : -1;
}
