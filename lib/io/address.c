/* Reading "host:port". */
#include "lib/io/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static int parse_port(const char *text)
{
	if (*text < '0' || *text > '9')
		return -EINVAL;
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	return *end || port > 65535 ? -EINVAL : (int)port;
}

int gev__address_parse(const char *host_port, int any, struct sockaddr_storage *out, socklen_t *length)
{
	const char *colon = host_port ? strrchr(host_port, ':') : NULL;
	if (colon == NULL)
		return -EINVAL;
	int port = parse_port(colon + 1);
	if (port < 0)
		return port;
	char host[INET6_ADDRSTRLEN];
	size_t n = (size_t)(colon - host_port);
	memset(out, 0, sizeof *out);
	if (n >= 2 && host_port[0] == '[' && colon[-1] == ']') {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
		n -= 2;
		if (n >= sizeof host)
			return -EINVAL;
		memcpy(host, host_port + 1, n);
		host[n] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		*length = sizeof *v6;
		return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1 ? 0 : -EINVAL;
	}
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	if (n >= sizeof host || (n == 0 && !any))
		return -EINVAL;
	memcpy(host, host_port, n);
	host[n] = '\0';
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	v4->sin_addr.s_addr = htonl(INADDR_ANY);
	*length = sizeof *v4;
	return n == 0 || inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? 0 : -EINVAL;
}
