/* Accounts written to a stream that is full. (Reading them takes a file: libc seeks in it.) */
#include "streams.h"

#include <grp.h>
#include <gshadow.h>
#include <pwd.h>
#include <shadow.h>

static char *members[] = {"a", "b", NULL};
enum { MANY = 5000 };
#define WRITE(name, statement)                                                                                         \
	static void write_##name(void)                                                                                 \
	{                                                                                                              \
		for (int i = 0; i < MANY; i++)                                                                         \
			check(statement == 0);                                                                         \
	}
WRITE(putpwent,
      putpwent(&(struct passwd){"name", "x", (uid_t)i, 7, "a person of that name", "/home/name", "/bin/sh"}, out))
WRITE(putgrent, putgrent(&(struct group){"a group of that name", "x", (gid_t)i, members}, out))
WRITE(putspent, putspent(&(struct spwd){"a name of some length", "!", i, 1, 2, 3, 4, 5, 6}, out))
WRITE(putsgent, putsgent(&(struct sgrp){"a group of that name", "!", members, members}, out))

static void *report(void *arg)
{
	report_threads();
	return arg;
}

int main(void)
{
#define V(name)                                                                                                        \
	{                                                                                                              \
#name, write_##name, false                                                                             \
	}
	static const struct writing writings[] = {V(putpwent), V(putgrent), V(putspent), V(putsgent)};
	empty_all(writings, sizeof writings / sizeof *writings);
	join(spawn(report, NULL));
	return 0;
}
