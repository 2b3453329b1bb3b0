/* Credentials are the process's, whichever thread changes them: every thread sees it. What only root may, root does here, and
 * all others are refused alike. */
#include <grp.h>

#include "twin.h"

enum { NOBODY = 65534 };
static sem_t here, go;

static void say(const char *who)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;
	check(getresuid(&r, &e, &s) == 0 && getresgid(&gr, &ge, &gs) == 0);
	if (getuid() == 0)
		printf("%s: users %d %d %d, groups %d %d %d and %d more\n", who, (int)r, (int)e, (int)s, (int)gr,
		       (int)ge, (int)gs, getgroups(0, NULL));
}

static void *watch(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	say("another thread");
	sem_post(&here);
	wait_for(&go);
	say("another thread");
	return arg;
}

static void *change(void *arg)
{
	gid_t groups[] = {NOBODY, 12345};
	show(setgroups(2, groups));
	show(setresgid((gid_t)-1, NOBODY, (gid_t)-1));
	show(setegid(getgid()));
	show(setregid((gid_t)-1, NOBODY));
	show(setresuid((uid_t)-1, NOBODY, (uid_t)-1));
	return arg;
}

static void *change_back(void *arg)
{
	show(seteuid(getuid()));
	show(setreuid((uid_t)-1, getuid()));
	show(setegid(getgid()));
	beside_begin();
	show(initgroups("nobody", 4242));
	beside_end();
	show(setgid(NOBODY));
	show(setuid(NOBODY));
	show(setuid(0));
	return arg;
}

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t t = spawn(watch, NULL);
	wait_for(&here);
	report_threads();
	join(spawn(change, NULL));
	say("main");
	sem_post(&go);
	wait_for(&here);
	join(spawn(change_back, NULL));
	say("main");
	sem_post(&go);
	join(t);
	return 0;
}
