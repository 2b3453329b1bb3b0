/* Accounts and mounted file systems, read from a stream that is empty at first, and written to one that is full. (Those without _r take a
 * file: libc seeks in it.) */
#include "streams.h"

#include <grp.h>
#include <gshadow.h>
#include <mntent.h>
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

struct mntent *__getmntent_r(FILE *f, struct mntent *to, char *room, int n);

static char room[1000];
#define READ(name, type, member)                                                                                       \
	static void read_##name(void)                                                                                  \
	{                                                                                                              \
		type one, *found = NULL;                                                                               \
		check(name(in, &one, room, sizeof room, &found) == 0 && found == &one);                                \
		printf("%s", one.member);                                                                              \
	}
READ(fgetpwent_r, struct passwd, pw_dir)
READ(fgetgrent_r, struct group, gr_mem[1])
READ(fgetspent_r, struct spwd, sp_pwdp)
READ(fgetsgent_r, struct sgrp, sg_adm[0])
#define READ_MOUNT(name, ...)                                                                                          \
	static void read_##name(void)                                                                                  \
	{                                                                                                              \
		struct mntent one, *found = name(__VA_ARGS__);                                                         \
		one.mnt_freq = 0;                                                                                      \
		check(found != NULL && one.mnt_freq == 0);                                                             \
		printf("%s", found->mnt_dir);                                                                          \
	}
READ_MOUNT(getmntent, in)
READ_MOUNT(getmntent_r, in, &one, room, sizeof room)
READ_MOUNT(__getmntent_r, in, &one, room, sizeof room)

static void *report(void *arg)
{
	report_threads();
	return arg;
}

int main(void)
{
#define R(name, ...)                                                                                                   \
	{                                                                                                              \
#name, read_##name, {__VA_ARGS__ }, false                                                              \
	}
	static const struct reading readings[] = {
		R(fgetpwent_r, "na", "me:x:1:2:a person:/home", "/name:/bin/sh\n"),
		R(fgetgrent_r, "# not a group\n", "group:x:5:me,y", "ou\n"),
		R(fgetspent_r, "name:secr", "et:1:2:3:4:5:6:\n"),
		R(fgetsgent_r, "group:!:me", ",you:them\n"),
		R(getmntent, "/dev/disk /mnt", " ext4 rw 0 0\n"),
		R(getmntent_r, "\n", "disk /mnt/else", "where ext4 rw 0 0\n"),
		R(__getmntent_r, "disk ", "/a\\040b ext4 ", "rw 0 0\n"),
	};
	feed_all(readings, sizeof readings / sizeof *readings);
#define V(name)                                                                                                        \
	{                                                                                                              \
#name, write_##name, false                                                                             \
	}
	static const struct writing writings[] = {V(putpwent), V(putgrent), V(putspent), V(putsgent)};
	empty_all(writings, sizeof writings / sizeof *writings);
	join(spawn(report, NULL));
	return 0;
}
