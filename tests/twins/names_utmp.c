/* Who is logged in: each function that waits for the lock of its file (utmpname(3), getutent(3)) does so in a thread, until another lets go of it.
 *
 * An OFD lock stands against libc's lock of the whole process, though both are of the same one (fcntl(2)). */
#include <sys/stat.h>
#include <utmp.h>
#include <utmpx.h>

#include "twin.h"

static const char path[] = "entries";
static sem_t begins;
static int locked;

static struct utmp line = {.ut_type = USER_PROCESS, .ut_line = "line", .ut_id = "id", .ut_user = "user"};
static struct utmpx linex = {.ut_type = USER_PROCESS, .ut_line = "line", .ut_id = "id", .ut_user = "userx"};

static const char *user(const struct utmp *e)
{
	return e ? e->ut_user : "none";
}

static const char *userx(const struct utmpx *e)
{
	return e ? e->ut_user : "none";
}

static void set(short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
	check(fcntl(locked, F_OFD_SETLKW, &lock) == 0);
}

/* ---- What waits ---- */

#define READS(name, value)                                                                                             \
	static void do_##name(void)                                                                                    \
	{                                                                                                              \
		printf("%s\n", value);                                                                                 \
	}
#define READS_R(name, ...)                                                                                             \
	static void do_##name(void)                                                                                    \
	{                                                                                                              \
		struct utmp entry, *e = NULL;                                                                          \
		int r = name(__VA_ARGS__ & entry, &e);                                                                 \
		printf("%d %s\n", r, user(e));                                                                         \
	}
#define WRITES(name, ...)                                                                                              \
	static void do_##name(void)                                                                                    \
	{                                                                                                              \
		name(__VA_ARGS__);                                                                                     \
		puts("");                                                                                              \
	}
#define AND ,
READS(getutent, user(getutent()))
READS(getutid, user(getutid(&line)))
READS(getutline, user(getutline(&line)))
READS(getutxent, userx(getutxent()))
READS(getutxid, userx(getutxid(&linex)))
READS(getutxline, userx(getutxline(&linex)))
READS_R(getutent_r, )
READS_R(getutid_r, &line AND)
READS_R(getutline_r, &line AND)
READS(pututline, user(pututline(&line)))
READS(pututxline, userx(pututxline(&linex)))
WRITES(updwtmp, path, &line)
WRITES(updwtmpx, path, &linex)

static const struct waiting {
	const char *name;
	void (*call)(void);
} waitings[] = {
#define W(name)                                                                                                        \
	{                                                                                                              \
#name, do_##name                                                                                       \
	}
	W(pututline),  W(pututxline), W(getutent),  W(getutid),     W(getutline), W(getutxent), W(getutxid),
	W(getutxline), W(getutent_r), W(getutid_r), W(getutline_r), W(updwtmp),   W(updwtmpx),
};

static void *run(void *arg)
{
	const struct waiting *w = arg;
	setutent();
	sem_post(&begins);
	w->call();
	endutent();
	return NULL;
}

/* These wait for libc's own lock, while another waits for the file's and has it. */
enum { BEHIND = 4 };

static void *run_behind(void *arg)
{
	sem_post(&begins);
	switch ((long)arg) {
	case 0:
		setutent();
		break;
	case 1:
		endutent();
		break;
	case 2:
		setutxent();
		break;
	default:
		endutxent();
	}
	return NULL;
}

int main(void)
{
	locked = open(path, O_RDWR | O_CREAT, 0600);
	check(locked >= 0 && utmpname(path) == 0 && sem_init(&begins, 0, 0) == 0);
	for (size_t i = 0; i < sizeof waitings / sizeof *waitings; i++) {
		set(F_WRLCK);
		printf("%s: ", waitings[i].name);
		pthread_t t = spawn(run, (void *)&waitings[i]);
		wait_for(&begins);
		/* Where it held up this thread, it would never come to let go, and libc would give the lock up after ten seconds. */
		for (int turn = 0; turn < 3; turn++)
			sched_yield();
		set(F_UNLCK);
		join(t);
	}
	pthread_t others[BEHIND];
	set(F_WRLCK);
	pthread_t t = spawn(run, (void *)&waitings[0]);
	wait_for(&begins);
	for (long i = 0; i < BEHIND; i++)
		others[i] = spawn(run_behind, (void *)i);
	for (int i = 0; i < BEHIND; i++)
		wait_for(&begins);
	for (int turn = 0; turn < 3; turn++)
		sched_yield();
	set(F_UNLCK);
	join(t);
	for (int i = 0; i < BEHIND; i++)
		join(others[i]);
	struct stat st;
	check(fstat(locked, &st) == 0);
	printf("%ld entries\n", (long)(st.st_size / (off_t)sizeof line));
	return 0;
}
