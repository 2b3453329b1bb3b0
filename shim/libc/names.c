/* getaddrinfo, getnameinfo: as visits, where they may ask somebody. A number is read where it is, without any thread. */
#include <arpa/inet.h>
#include <string.h>

#include "shim/libc/visit.h"

/* inet_aton's numbers too, "127.1"; and IPv6 with a scope, "fe80::1%eth0". */
static bool is_number(const char *host)
{
	struct in_addr four;
	return inet_aton(host, &four) || strchr(host, ':');
}

static bool is_digits(const char *service)
{
	return service[strspn(service, "0123456789")] == '\0';
}

struct by_name {
	struct visit visit;
	const char *host;
	const char *service;
	const struct addrinfo *hints;
	struct addrinfo **list;
	int result;
};

static void ask_by_name(struct visit *v)
{
	struct by_name *q = (struct by_name *)(void *)v;
	q->result = real.getaddrinfo(q->host, q->service, q->hints, q->list);
}

int patch_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	struct by_name q = {{.call = ask_by_name, .host = host}, host, service, hints, list, 0};
	if (likely(!patch_started))
		return real.getaddrinfo(host, service, hints, list);
	bool asks = (host && !is_number(host)) || (service && !is_digits(service));
	visit(&q.visit, asks && visit_may_look_up());
	return q.result;
}
EXPORT(getaddrinfo);

struct by_address {
	struct visit visit;
	const struct sockaddr *address;
	socklen_t size;
	char *host;
	socklen_t host_size;
	char *service;
	socklen_t service_size;
	int flags;
	int result;
};

static void ask_by_address(struct visit *v)
{
	struct by_address *q = (struct by_address *)(void *)v;
	q->result = real.getnameinfo(q->address, q->size, q->host, q->host_size, q->service, q->service_size, q->flags);
}

static void say_number(const struct sockaddr *address, socklen_t size, char *text)
{
	if (real.getnameinfo(address, size, text, INET6_ADDRSTRLEN, NULL, 0, NI_NUMERICHOST) != 0)
		text[0] = '\0';
}

int patch_getnameinfo(const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size, char *service,
		      socklen_t service_size, int flags)
{
	char number[INET6_ADDRSTRLEN];
	struct by_address q = {
		{.call = ask_by_address}, address, size, host, host_size, service, service_size, flags, 0};
	if (likely(!patch_started))
		return real.getnameinfo(address, size, host, host_size, service, service_size, flags);
	bool asks_host = host && host_size > 0 && !(flags & NI_NUMERICHOST);
	bool asks_service = service && service_size > 0 && !(flags & NI_NUMERICSERV);
	bool parks = (asks_host || asks_service) && visit_may_look_up();
	if (parks && asks_host) {
		say_number(address, size, number);
		q.visit.host = number;
	}
	visit(&q.visit, parks);
	return q.result;
}
EXPORT(getnameinfo);
