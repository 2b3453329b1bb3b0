/* message.h: what is sent and what must come back, without a computation per byte or per request.
 *
 * A pool of random printable bytes and its upper-case twin are made once. A message is a window into the pool at a
 * place that depends on connection and turn, so an answer meant for another connection, or a stale one, does not
 * compare equal: two windows agree by chance with a probability below 2^-16 (POOL places) and 94^-size otherwise.
 */
#ifndef LOAD_MESSAGE_H
#define LOAD_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

enum { MESSAGE_POOL = 1 << 16 };

extern char *message_pool;   /* MESSAGE_POOL + size bytes */
extern char *message_answer; /* the same in upper case */

/* 0 or -ENOMEM. */
int message_init(size_t size);

static inline size_t message_place(uint32_t connection, uint32_t turn)
{
	uint64_t x = ((uint64_t)connection << 32 | turn) * 0x9e3779b97f4a7c15u;

	return (size_t)(x >> 48);
}

#endif
