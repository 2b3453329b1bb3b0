/* message.c: fills the pool. */
#include "message.h"

#include <errno.h>
#include <stdlib.h>

char *message_pool;
char *message_answer;

int message_init(size_t size)
{
	uint64_t state = 0x853c49e6748fea9bu;

	message_pool = malloc(MESSAGE_POOL + size);
	message_answer = malloc(MESSAGE_POOL + size);
	if (!message_pool || !message_answer)
		return -ENOMEM;
	for (size_t i = 0; i < MESSAGE_POOL + size; i++) {
		char c;

		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		/* every fourth is a letter, so that no message of four bytes or more is its own answer */
		c = (char)(i % 4 ? '!' + (state >> 32) % 94 : 'a' + (state >> 32) % 26);
		message_pool[i] = c;
		/* by hand: toupper would follow the locale */
		message_answer[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	return 0;
}
