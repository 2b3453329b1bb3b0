/* log.h: what the shim says, and how it ends when it cannot go on. One line each, "libpatch: ...", on standard error. */
#ifndef PATCH_LOG_H
#define PATCH_LOG_H

void patch_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void patch_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Says it the first time only. */
#define patch_say_once(...)                                                                                            \
	do {                                                                                                           \
		static int said;                                                                                       \
		if (!__atomic_exchange_n(&said, 1, __ATOMIC_RELAXED))                                                  \
			patch_say(__VA_ARGS__);                                                                        \
	} while (0)

#endif
