/* address.h: "host:port" and "unix:path", read. Names are left to a resolver. */
#ifndef GEV_IO_ADDRESS_H
#define GEV_IO_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* "1.2.3.4:80", "[::1]:80", ":80" (any IPv4 address, if `any` allows it), "unix:path", "unix:@abstract". -EINVAL: none of these; -ENAMETOOLONG: a
 * path that does not fit. */
int gev__address_parse(const char *text, int any, struct sockaddr_storage *out, socklen_t *length);

enum { GEV__HOST_MAX = 256, GEV__SERVICE_MAX = 64 };

/* The parts of "name:service", to be resolved; *numeric: the host stood in brackets. -EINVAL: cannot be read as such. */
int gev__address_split(const char *text, int any, char host[GEV__HOST_MAX], char service[GEV__SERVICE_MAX],
		       bool *numeric);

#endif
