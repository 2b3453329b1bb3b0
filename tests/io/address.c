/* "host:port", good and bad. */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "lib/io/address.h"

static const struct {
	const char *text;
	int any;
	int family; /* 0: refused */
	int port;
} rows[] = {
	{"127.0.0.1:80", 0, AF_INET, 80},
	{"0.0.0.0:0", 0, AF_INET, 0},
	{":8080", 1, AF_INET, 8080},
	{":8080", 0, 0, 0},
	{"[::1]:443", 0, AF_INET6, 443},
	{"[::1]443", 0, 0, 0},
	{"::1:443", 0, 0, 0},
	{"127.0.0.1", 0, 0, 0},
	{"127.0.0.1:", 0, 0, 0},
	{"127.0.0.1:65536", 0, 0, 0},
	{"127.0.0.1:-1", 0, 0, 0},
	{"127.0.0.1: 80", 0, 0, 0},
	{"127.0.0.1:80x", 0, 0, 0},
	{"127.0.0:80", 0, 0, 0},
	{"name:80", 0, 0, 0},
	{"[]:80", 0, 0, 0},
	{"", 1, 0, 0},
	{NULL, 1, 0, 0},
	{"1111111111111111111111111111111111111111111111111111:80", 0, 0, 0},
};

Test(address, parse)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sockaddr_storage a;
		socklen_t length;
		int r = gev__address_parse(rows[i].text, rows[i].any, &a, &length);
		cr_expect_eq(r == 0, rows[i].family != 0, "%s", rows[i].text);
		if (r)
			continue;
		cr_expect_eq(a.ss_family, rows[i].family, "%s", rows[i].text);
		/* sin_port and sin6_port lie at the same place. */
		cr_expect_eq(ntohs(((struct sockaddr_in *)&a)->sin_port), rows[i].port, "%s", rows[i].text);
	}
}
