/* getaddrinfo, getnameinfo: libc's own, on a real thread, where they may ask somebody.
 *
 * They read files, talk to name servers and to what nsswitch.conf names, all by calls inside libc that no wrapper sees. What the caller keeps in its own
 * thread-local storage (_res) such a thread does not have: it has what resolv.conf says. A number is read where it is, without any thread. */
#include <arpa/inet.h>

#include "shim/base/options.h"
#include "shim/base/patch.h"
#include "shim/pthread/thread.h"

enum { ON_THREAD }; /* the place of "thread" among the words of GEV_RESOLVER */

static bool may_park(void)
{
	return patch_options()->resolver == ON_THREAD && patch_green();
}

/* inet_aton's numbers too, "127.1"; and IPv6 with a scope, "fe80::1%eth0". */
static bool is_number(const char *host)
{
	struct in_addr four;
	return inet_aton(host, &four) || strchr(host, ':');
}

struct by_name {
	const char *host;
	const char *service;
	const struct addrinfo *hints;
	struct addrinfo **list;
	int result;
	int error;
};

static void ask_by_name(void *arg)
{
	struct by_name *q = arg;
	q->result = real.getaddrinfo(q->host, q->service, q->hints, q->list);
	q->error = errno;
}

int patch_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	struct by_name q = {.host = host, .service = service, .hints = hints, .list = list};
	if (host == NULL || is_number(host) || !may_park() || patch_gev->offload(ask_by_name, &q, host) != 0)
		return real.getaddrinfo(host, service, hints, list);
	if (q.result == EAI_SYSTEM)
		errno = q.error;
	return q.result;
}
EXPORT(getaddrinfo);

struct by_address {
	const struct sockaddr *address;
	socklen_t size;
	char *host;
	socklen_t host_size;
	char *service;
	socklen_t service_size;
	int flags;
	int result;
	int error;
};

static void ask_by_address(void *arg)
{
	struct by_address *q = arg;
	q->result = real.getnameinfo(q->address, q->size, q->host, q->host_size, q->service, q->service_size, q->flags);
	q->error = errno;
}

static void say_number(const struct sockaddr *address, socklen_t size, char *text)
{
	if (real.getnameinfo(address, size, text, INET6_ADDRSTRLEN, NULL, 0, NI_NUMERICHOST) != 0)
		text[0] = '\0';
}

int patch_getnameinfo(const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size, char *service,
		      socklen_t service_size, int flags)
{
	struct by_address q = {address, size, host, host_size, service, service_size, flags, 0, 0};
	char number[INET6_ADDRSTRLEN];
	if (host == NULL || host_size == 0 || flags & NI_NUMERICHOST || !may_park())
		return real.getnameinfo(address, size, host, host_size, service, service_size, flags);
	say_number(address, size, number);
	if (patch_gev->offload(ask_by_address, &q, number) != 0)
		return real.getnameinfo(address, size, host, host_size, service, service_size, flags);
	if (q.result == EAI_SYSTEM)
		errno = q.error;
	return q.result;
}
EXPORT(getnameinfo);
