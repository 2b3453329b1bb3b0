/* Functions that wait for what no test can bring about, or may not: each is called by a thread, and returns when another lets it (calls_told_lib.c). */
#include <utmp.h>

#include "twin.h"

extern int call_made[2], call_told[2];

int __getlogin_r_chk(char *to, size_t room, size_t there);

static char buffer[100];

#define SAYS(name, ...)                                                                                                \
	static void call_##name(void)                                                                                  \
	{                                                                                                              \
		errno = EXFULL;                                                                                        \
		long r = name(__VA_ARGS__);                                                                            \
		int error = errno;                                                                                     \
		printf("%ld %s\n", r, strerrorname_np(error));                                                         \
	}
#define DONE(name, ...)                                                                                                \
	static void call_##name(void)                                                                                  \
	{                                                                                                              \
		name(__VA_ARGS__);                                                                                     \
		puts("done");                                                                                          \
	}

static struct utmp entry;

static void call_getlogin(void)
{
	puts(getlogin());
}
SAYS(getlogin_r, buffer, sizeof buffer)
SAYS(__getlogin_r_chk, buffer, sizeof buffer, sizeof buffer)
DONE(login, &entry)
SAYS(logout, "line")
DONE(logwtmp, "line", "name", "host")

static const struct call {
	const char *name;
	void (*make)(void);
} calls[] = {
#define C(name)                                                                                                        \
	{                                                                                                              \
#name, call_##name                                                                                     \
	}
	C(getlogin), C(getlogin_r), C(__getlogin_r_chk), C(login), C(logout), C(logwtmp),
};

static void *run(void *arg)
{
	const struct call *c = arg;
	printf("%s: ", c->name);
	c->make();
	return NULL;
}

int main(void)
{
	check(pipe(call_made) == 0 && pipe(call_told) == 0);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		char byte;
		pthread_t t = spawn(run, (void *)&calls[i]);
		check(read(call_made[0], &byte, 1) == 1);
		check(write(call_told[1], "x", 1) == 1);
		join(t);
	}
	puts(buffer);
	return 0;
}
