/* The resolver's own functions, called by threads, each with a name server of its choice in its own _res; another thread is that server. */
#include <netdb.h>
#include <nss.h>
#include <resolv.h>
#include <sys/stat.h>

#include "twin.h"

enum { ROOM = 512 };

static struct sockaddr_in server;
static const struct __res_state *of_main;

/* What a thread, or a state of its own, is to ask: the server, once, and nobody else. */
static void choose(struct __res_state *state)
{
	state->nsaddr_list[0] = server;
	state->nscount = 1;
	state->retrans = 30;
	state->retry = 1;
	state->options &= ~(RES_USE_EDNS0 | RES_TRUSTAD | RES_DEFNAMES | RES_DNSRCH | RES_ROTATE | RES_USEVC);
}

/* ---- What is asked ---- */

#define ASK(name, ...)                                                                                                 \
	static int ask_##name(struct __res_state *own, unsigned char *answer)                                          \
	{                                                                                                              \
		return name(__VA_ARGS__, answer, ROOM);                                                                \
	}
ASK(res_query, "some.example", C_IN, T_A)
ASK(res_search, "some.example", C_IN, T_A)
ASK(res_querydomain, "some", "example", C_IN, T_A)
ASK(res_nquery, own, "some.example", C_IN, T_A)
ASK(res_nsearch, own, "some.example", C_IN, T_A)
ASK(res_nquerydomain, own, "some", "example", C_IN, T_A)

static int ask_res_send(struct __res_state *own, unsigned char *answer)
{
	unsigned char query[ROOM];
	int n = res_mkquery(QUERY, "some.example", C_IN, T_A, NULL, 0, NULL, query, sizeof query);
	return res_send(query, n, answer, ROOM);
}

static int ask_res_nsend(struct __res_state *own, unsigned char *answer)
{
	unsigned char query[ROOM];
	int n = res_nmkquery(own, QUERY, "some.example", C_IN, T_A, NULL, 0, NULL, query, sizeof query);
	return res_nsend(own, query, n, answer, ROOM);
}

static int ask_none(struct __res_state *own, unsigned char *answer)
{
	int r = res_query("none.example", C_IN, T_A, answer, ROOM);
	printf("h_errno %d, ", h_errno);
	return r;
}

static int ask_gethostbyname(struct __res_state *own, unsigned char *answer)
{
	struct hostent *e = gethostbyname("some.example");
	check(e != NULL && e->h_length == 4);
	memcpy(answer, e->h_addr_list[0], 4);
	return 4;
}

static const struct question {
	const char *name;
	int (*ask)(struct __res_state *own, unsigned char *answer);
} questions[] = {
#define Q(name)                                                                                                        \
	{                                                                                                              \
#name, ask_##name                                                                                      \
	}
	Q(res_query),   Q(res_search),       Q(res_querydomain), Q(res_send), Q(res_nquery),
	Q(res_nsearch), Q(res_nquerydomain), Q(res_nsend),       Q(none),     Q(gethostbyname),
};

static void *ask(void *arg)
{
	const struct question *q = arg;
	struct __res_state own = {0};
	unsigned char answer[ROOM];
	check(&_res == __res_state() && &_res != of_main);
	check(res_init() == 0 && res_ninit(&own) == 0);
	choose(&_res);
	choose(&own);
	int n = q->ask(&own, answer);
	printf("%d, ", n);
	if (n > 0)
		printf("%d.%d, ", answer[n - 2], answer[n - 1]);
	printf("%d\n", _res.retrans);
	res_nclose(&own);
	return NULL;
}

/* ---- Who answers (RFC 1035, 4.1) ---- */

static void serve(int fd)
{
	static const unsigned char record[] = {0xc0, 12, 0, T_A, 0, C_IN, 0, 0, 0, 60, 0, 4, 127, 1, 2, 3};
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	unsigned char m[ROOM];
	ssize_t n = recvfrom(fd, m, sizeof m, 0, (struct sockaddr *)&from, &size);
	check(n > 12 + 4 + 1);
	size_t end = 12;
	while (m[end] != 0)
		end += m[end] + 1u;
	end += 1 + 4;
	bool none = memcmp(m + 13, "none", 4) == 0;
	m[2] |= 0x80; /* a response */
	m[3] = none ? NXDOMAIN : 0;
	memset(m + 6, 0, 6);
	if (!none) {
		m[7] = 1;
		check(end + sizeof record <= sizeof m);
		memcpy(m + end, record, sizeof record);
		end += sizeof record;
	}
	check(sendto(fd, m, end, 0, (struct sockaddr *)&from, size) == (ssize_t)end);
}

/* A thread that looks up nothing but a number. */
static void *ask_number(void *arg)
{
	struct addrinfo *list;
	check(getaddrinfo("127.0.0.1", "1", NULL, &list) == 0);
	freeaddrinfo(list);
	return arg;
}

int main(void)
{
	int fd = bound(SOCK_DGRAM, &server);
	struct stat first;
	check(fstat(0, &first) == 0);
	join(spawn(ask_number, NULL));
	printf("its end leaves descriptor 0: %d\n", fstat(0, &first) == 0);
	of_main = __res_state();
	check(__nss_configure_lookup("hosts", "dns") == 0);
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		printf("%s: ", questions[i].name);
		pthread_t t = spawn(ask, (void *)&questions[i]);
		serve(fd);
		join(t);
	}
	/* Two at once, each with its own state, both waiting for the same answer. */
	pthread_t one = spawn(ask, (void *)&questions[0]), other = spawn(ask, (void *)&questions[0]);
	serve(fd);
	serve(fd);
	join(one);
	join(other);
	check(of_main->retrans != 30);
	return 0;
}
