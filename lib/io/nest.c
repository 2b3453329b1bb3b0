/* The private epoll set of one fds_wait. */
#include "lib/io/nest.h"

#include <errno.h>
#include <sys/epoll.h>

#include "lib/base/sys.h"

int gev__nest_odd(const struct gev_fd_want *want, size_t n, int *nest)
{
	*nest = -1;
	int ready = 0;
	for (size_t i = 0; i < n; i++) {
		if (want[i].fd < 0 || want[i].poll_events == 0)
			continue;
		if (*nest < 0 && (*nest = gev__sys.epoll_create1(EPOLL_CLOEXEC)) < 0)
			return -errno;
		/* The poll and epoll bits have the same values (linux/eventpoll.h); EPOLLERR and EPOLLHUP are implied. */
		struct epoll_event event = {.events = (uint32_t)(unsigned short)want[i].poll_events};
		if (gev__sys.epoll_ctl(*nest, EPOLL_CTL_ADD, want[i].fd, &event) == 0)
			continue;
		if (errno == EEXIST) {
			/* The same number twice: ask for what either asked for. */
			for (size_t j = 0; j < i; j++)
				if (want[j].fd == want[i].fd)
					event.events |= (uint32_t)(unsigned short)want[j].poll_events;
			if (gev__sys.epoll_ctl(*nest, EPOLL_CTL_MOD, want[i].fd, &event) == 0)
				continue;
		}
		if (errno == EPERM || errno == EBADF)
			ready++; /* it never blocks, or the kernel will say POLLNVAL */
		else
			return -errno;
	}
	return ready;
}
