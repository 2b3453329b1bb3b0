/* socket.h: receiving and sending on sockets, for the wrappers of recv and send and for those of read and write. */
#ifndef SHIM_LIBC_SOCKET_H
#define SHIM_LIBC_SOCKET_H

#include "shim/base/between.h"
#include "shim/libc/transfer.h"

/* Results: a count or -errno. d is fds_get(fd), a socket; the call blocks, by all that the program has said. */
ssize_t socket_receive(int fd, struct description *d, void *buf, size_t n, int flags, struct sockaddr *from,
		       socklen_t *room);
ssize_t socket_send(int fd, struct description *d, const void *buf, size_t n, int flags, const struct sockaddr *to,
		    socklen_t size);
ssize_t socket_receive_message(int fd, struct description *d, struct msghdr *msg, int flags);
ssize_t socket_send_message(int fd, struct description *d, const struct msghdr *msg, int flags);

/* Runs a receiving transfer of t->size bytes: as much as the flags and SO_RCVLOWAT ask for. */
ssize_t socket_run_receive(struct transfer *t, int flags);
/* Whether epoll will not say when the missing bytes are there: it speaks of SO_RCVLOWAT bytes and no fewer, while
 * MSG_DONTWAIT, which takes what there is, may have left over less than that to wait for. */
bool socket_blind(const struct description *d, size_t missing);
/* Remembers whether a read of `asked` bytes that gave n has emptied the queue. */
void socket_note_drained(struct description *d, size_t asked, ssize_t n, int flags);
/* After a call of the program's own that does not block, with these flags: n = -1 and EAGAIN say that there is nothing. Gives n back. */
ssize_t socket_note_empty(int fd, ssize_t n, int flags);
/* The same of a call straight to the kernel, to -1 and errno. */
ssize_t socket_read_at_once(int fd, ssize_t r, int flags);
/* Whether the caller is a green thread, and fd one that the program has made not to block: an event loop's. Its calls go straight to the kernel: an
 * event-driven program gains nothing from being preloaded, and shall lose nothing. */
static inline __attribute__((always_inline)) bool socket_at_once(int fd)
{
	return fds_wished(fd) && likely(!patch_above_another) && patch_thread_self();
}
/* New numbers came with a message. */
void socket_note_received(struct msghdr *msg);
/* A message is about to be sent, perhaps with numbers. errno is kept. */
void socket_note_sent(const struct msghdr *msg);
/* Whether a transfer that has sent something must stop here, so that the program's next call meets the error, and
 * not ours. */
bool socket_failed(int fd);

/* The same for one that has received something: how many bytes of `left` it may still ask for without meeting an error; 0: stop. */
size_t socket_more(int fd, const struct description *d, size_t left);
/* After EAGAIN: whether it is a datagram socket that is shut down for reading. Who waits there gets a message of no bytes
 * (__skb_wait_for_more_packets), who does not is told to wait, for ever. Asked only of who has waited in vain. */
bool socket_ended(const struct io_wait *wait, const struct description *d);
/* msg becomes that message. */
void socket_empty(struct msghdr *msg);

/* fd's record if the call must not block the OS thread: a green caller, a socket, and no word of the program
 * against blocking. NULL: the original. */
struct description *socket_blocking(int fd, int flags);

#endif
