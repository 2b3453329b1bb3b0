/* The credentials of the process: setuid and its family.
 *
 * The kernel keeps them per thread; libc changes them on all of its threads, by a signal to each and a word in each
 * one's control block (nptl/nptl_setxid.c). The caller's own control block must then be that of an OS thread: so the
 * call is made as the hub's OS thread. The identities of green threads are on libc's list too; the signal finds none of
 * their numbers, and libc goes on. Where a real thread makes the call, the signal's handler does the same
 * (signal/private.c). */
#include <grp.h>
#include <limits.h>
#include <stdlib.h>

#include "shim/pthread/thread.h"

struct call {
	void (*make)(struct call *c);
	unsigned id[3];
	size_t n;
	const gid_t *groups;
	int result;
	int error;
};

static void make(void *arg)
{
	struct call *c = arg;
	int saved = errno; /* the OS thread's own */
	c->make(c);
	c->error = errno;
	errno = saved;
}

static int run(struct call *c)
{
	int before = errno;
	patch_as_os_thread(make, c);
	errno = c->result < 0 ? c->error : before;
	return c->result;
}

#define ONE(name, type)                                                                                                \
	static void make_##name(struct call *c)                                                                        \
	{                                                                                                              \
		c->result = real.name(c->id[0]);                                                                       \
	}                                                                                                              \
	int patch_##name(type a)                                                                                       \
	{                                                                                                              \
		return run(&(struct call){.make = make_##name, .id = {a}});                                            \
	}                                                                                                              \
	EXPORT(name)

#define TWO(name, type)                                                                                                \
	static void make_##name(struct call *c)                                                                        \
	{                                                                                                              \
		c->result = real.name(c->id[0], c->id[1]);                                                             \
	}                                                                                                              \
	int patch_##name(type a, type b)                                                                               \
	{                                                                                                              \
		return run(&(struct call){.make = make_##name, .id = {a, b}});                                         \
	}                                                                                                              \
	EXPORT(name)

#define THREE(name, type)                                                                                              \
	static void make_##name(struct call *c)                                                                        \
	{                                                                                                              \
		c->result = real.name(c->id[0], c->id[1], c->id[2]);                                                   \
	}                                                                                                              \
	int patch_##name(type a, type b, type c)                                                                       \
	{                                                                                                              \
		return run(&(struct call){.make = make_##name, .id = {a, b, c}});                                      \
	}                                                                                                              \
	EXPORT(name)

ONE(setuid, uid_t);
ONE(seteuid, uid_t);
ONE(setgid, gid_t);
ONE(setegid, gid_t);
TWO(setreuid, uid_t);
TWO(setregid, gid_t);
THREE(setresuid, uid_t);
THREE(setresgid, gid_t);

static void make_setgroups(struct call *c)
{
	c->result = real.setgroups(c->n, c->groups);
}

int patch_setgroups(size_t n, const gid_t *groups)
{
	return run(&(struct call){.make = make_setgroups, .n = n, .groups = groups});
}
EXPORT(setgroups);

/* libc's would look the user up and then call its own setgroups, all in one. */
int patch_initgroups(const char *user, gid_t group)
{
	int room = 64;
	for (;;) {
		int n = room;
		gid_t *groups = malloc((size_t)room * sizeof *groups);
		if (groups == NULL)
			return -1;
		int found = patch_getgrouplist(user, group, groups, &n);
		if (found >= 0 || n <= room) {
			int r = patch_setgroups((size_t)(n < NGROUPS_MAX ? n : NGROUPS_MAX), groups);
			free(groups);
			return r;
		}
		room = n;
		free(groups);
	}
}
EXPORT(initgroups);
