/* open.h: opens one connection to the server, through a proxy if so asked, ready for the first message. */
#ifndef LOAD_OPEN_H
#define LOAD_OPEN_H

#include <stddef.h>

#include "options.h"

/* A connected blocking socket whose calls give up after options->patience seconds, or -1 with errno. */
int open_connection(const struct options *options);

/* Blocking, the whole of it. 0, or -1 with errno (EPIPE: the other side closed). */
int send_whole(int fd, const void *data, size_t size);
int recv_whole(int fd, void *data, size_t size);

#endif
