/* sys.h: one table of pointers for every libc call that the library makes.
 *
 * Three uses: a shim that patches these very names gives the originals here, so the library never runs into
 * its own patch; tests make any call fail on demand; tracing. Until somebody changes it, the table holds libc's functions. */
#ifndef GEV_BASE_SYS_H
#define GEV_BASE_SYS_H

#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>

struct gev__sys {
#define SYS(ret, name, params, args) ret(*name) params;
#include "lib/base/sys.def"
#undef SYS
};

extern struct gev__sys gev__sys;

/* Replaces every call for which original(name) is not NULL. */
void gev__sys_set(void *(*original)(const char *name));

#endif
