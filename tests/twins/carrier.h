/* carrier.h: a message that carries a descriptor along (SCM_RIGHTS), for the fixtures that send one. */
#ifndef CARRIER_H
#define CARRIER_H

#include "twin.h"

struct carrier {
	struct iovec bytes;
	struct msghdr message;
	union {
		struct cmsghdr head; /* cmsg(3): aligned as this */
		char room[CMSG_SPACE(sizeof(int))];
	} control;
};

/* Its n bytes of text and fd, for sendmsg; it lies in c. */
static inline struct msghdr *carry(struct carrier *c, const char *text, size_t n, int fd)
{
	memset(c, 0, sizeof *c);
	c->bytes = (struct iovec){(char *)text, n};
	c->message.msg_iov = &c->bytes;
	c->message.msg_iovlen = 1;
	c->message.msg_control = &c->control;
	c->message.msg_controllen = sizeof c->control.room;
	struct cmsghdr *head = CMSG_FIRSTHDR(&c->message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	return &c->message;
}

#endif
