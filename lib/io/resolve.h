/* resolve.h: names to addresses, by libc's own getaddrinfo on a real thread. */
#ifndef GEV_IO_RESOLVE_H
#define GEV_IO_RESOLVE_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

/* Stream addresses of "name:service"; with `any`, of this host, and the name may be empty. To be given to gev__resolved_free. Blocks the greenlet.
 * -EINVAL: cannot be read as such; -ENOENT: there is none; -EAGAIN: no answer for now; -ENOMEM, -ETIMEDOUT, -ECANCELED, -EIO. */
int gev__resolve(const char *text, bool any, int64_t deadline, struct addrinfo **out);
void gev__resolved_free(struct addrinfo *list);

#endif
