/* Reading "host:port" and "unix:path". */
#include "lib/io/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static int parse_port(const char *text)
{
	if (*text < '0' || *text > '9')
		return -EINVAL;
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	return *end || port > 65535 ? -EINVAL : (int)port;
}

/* An abstract name is not terminated: its length is part of it (unix(7)). */
static int parse_path(const char *path, struct sockaddr_storage *out, socklen_t *length)
{
	struct sockaddr_un *un = (struct sockaddr_un *)out;
	size_t n = strlen(path);
	bool abstract = *path == '@';
	if (n == 0 || (abstract && n == 1))
		return -EINVAL;
	if (n + !abstract > sizeof un->sun_path)
		return -ENAMETOOLONG;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, n);
	if (abstract)
		un->sun_path[0] = '\0';
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + !abstract);
	return 0;
}

int gev__address_parse(const char *text, int any, struct sockaddr_storage *out, socklen_t *length)
{
	const char *colon = text ? strrchr(text, ':') : NULL;
	if (colon == NULL)
		return -EINVAL;
	memset(out, 0, sizeof *out);
	if (strncmp(text, "unix:", 5) == 0)
		return parse_path(text + 5, out, length);
	int port = parse_port(colon + 1);
	if (port < 0)
		return port;
	char host[INET6_ADDRSTRLEN];
	size_t n = (size_t)(colon - text);
	if (n >= 2 && text[0] == '[' && colon[-1] == ']') {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
		n -= 2;
		if (n >= sizeof host)
			return -EINVAL;
		memcpy(host, text + 1, n);
		host[n] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		*length = sizeof *v6;
		return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1 ? 0 : -EINVAL;
	}
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	if (n >= sizeof host || (n == 0 && !any))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	v4->sin_addr.s_addr = htonl(INADDR_ANY);
	*length = sizeof *v4;
	return n == 0 || inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? 0 : -EINVAL;
}

int gev__address_split(const char *text, int any, char host[GEV__HOST_MAX], char service[GEV__SERVICE_MAX],
		       bool *numeric)
{
	const char *colon = text && strncmp(text, "unix:", 5) != 0 ? strrchr(text, ':') : NULL;
	if (colon == NULL)
		return -EINVAL;
	size_t n = (size_t)(colon - text), m = strlen(colon + 1);
	*numeric = n >= 2 && text[0] == '[' && colon[-1] == ']';
	if (*numeric) {
		text++;
		n -= 2;
	}
	if (n >= GEV__HOST_MAX || (n == 0 && (*numeric || !any)) || m == 0 || m >= GEV__SERVICE_MAX)
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	memcpy(service, colon + 1, m + 1);
	/* Digits that are no port, digits and dots that are no address: getaddrinfo would find some sense in them. A colon belongs in brackets. */
	if (strchr(" +-0123456789", service[0]) && parse_port(service) < 0)
		return -EINVAL;
	if (!*numeric && (strchr(host, ':') || strpbrk(host, "[] \t")))
		return -EINVAL;
	struct in_addr exact;
	if (n > 0 && !*numeric && strspn(host, "0123456789.") == n && inet_pton(AF_INET, host, &exact) != 1)
		return -EINVAL;
	return 0;
}
