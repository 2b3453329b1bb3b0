/* address.h: "host:port" as a socket address, numeric only: names need a resolver. */
#ifndef GEV_IO_ADDRESS_H
#define GEV_IO_ADDRESS_H

#include <sys/socket.h>

/* "1.2.3.4:80", "[::1]:80", ":80" (any IPv4 address, if `any` allows it). -EINVAL. */
int gev__address_parse(const char *host_port, int any, struct sockaddr_storage *out, socklen_t *length);

#endif
