/* Nobody waits for the lock of a stream that nobody has: while a thread waits in a function without a lock, or in any other on a stream whose
 * lock is left to its callers, others lock it and look at it. And under a lock of the program's own these functions keep it, parked or not. */
#include "streams.h"

#include <stdio_ext.h>

static char block[200000], line[100];

#define IN(name, statement)                                                                                            \
	static void in_##name(void)                                                                                    \
	{                                                                                                              \
		statement;                                                                                             \
	}
IN(getc_unlocked, check((getc_unlocked)(in) == 'x'))
IN(fgets_unlocked, check(fgets_unlocked(line, sizeof line, in) == line))
IN(fread_unlocked, check(fread_unlocked(line, 1, 2, in) == 2))
IN(fgetwc_unlocked, check(fgetwc_unlocked(in) == 'x'))
IN(getc, check(getc(in) == 'x'))
IN(fgets, check(fgets(line, sizeof line, in) == line))
IN(getline, char *to = NULL; size_t room = 0; check(getline(&to, &room, in) == 2); free(to))
IN(fscanf, char c; check(fscanf(in, "%c", &c) == 1))
IN(getwc, check(getwc(in) == 'x'))
IN(fwrite_unlocked, check(fwrite_unlocked(block, 1, sizeof block, in) == sizeof block))
IN(fputs_unlocked, check(fputs_unlocked(block, in) >= 0))
IN(fputc_unlocked, for (size_t i = 0; i < sizeof block; i++) check((fputc_unlocked)('x', in) == 'x'))
IN(fwrite, check(fwrite(block, 1, sizeof block, in) == sizeof block))
IN(fputc, for (size_t i = 0; i < sizeof block; i++) check(fputc('x', in) == 'x'))
IN(fprintf, check(fprintf(in, "%s", block) > 0))
IN(fflush, check(setvbuf(in, NULL, _IOFBF, 2 * sizeof block) == 0 && fputs(block, in) >= 0 && fflush(in) == 0))

struct within {
	const char *name;
	void (*call)(void);
	bool writes, callers; /* lock is left to them */
};

static void *run_within(void *arg)
{
	sem_post(&here);
	((const struct within *)arg)->call();
	return NULL;
}

static void *read_everything(void *arg)
{
	ssize_t n;
	while ((n = read((int)(long)arg, line, sizeof line)) > 0 && (size_t)n <= sizeof line)
		;
	return NULL;
}

/* Until the writer has filled the pipe: then it waits. */
static void until_full(int fd)
{
	int held = 0, room = fcntl(fd, F_GETPIPE_SZ);
	for (; held < room; sched_yield())
		check(ioctl(fd, FIONREAD, &held) == 0);
}

static void *hold_it(void *arg)
{
	flockfile(in);
	run_within(arg);
	funlockfile(in);
	return NULL;
}

static void enter(const struct within *w, bool held)
{
	int fd[2];
	check(pipe(fd) == 0);
	in = w->writes ? fdopen(fd[1], "w") : fdopen(fd[0], "r");
	check(in != NULL);
	if (w->callers)
		__fsetlocking(in, FSETLOCKING_BYCALLER);
	pthread_t t = spawn(held ? hold_it : run_within, (void *)w);
	wait_for(&here);
	if (w->writes)
		until_full(fd[0]);
	else
		for (int i = 0; i < 5; i++)
			sched_yield();
	bool free = ftrylockfile(in) == 0;
	printf("%s%s: %s", w->name, w->callers ? " by its callers" : "", free ? "free" : "held");
	if (free) {
		funlockfile(in);
		flockfile(in);
		printf(", %d, fileno %s", (ferror)(in) + (feof)(in), fileno(in) == fd[w->writes] ? "right" : "wrong");
		funlockfile(in);
	}
	printf("\n");
	if (w->writes) {
		pthread_t reader = spawn(read_everything, (void *)(long)fd[0]);
		join(t);
		check(fclose(in) == 0);
		join(reader);
		close(fd[0]);
	} else {
		write_all(fd[1], "x\n", 2);
		join(t);
		check(fclose(in) == 0);
		close(fd[1]);
	}
}

int main(void)
{
#define I(name, writes, callers)                                                                                       \
	{                                                                                                              \
#name, in_##name, writes, callers                                                                      \
	}
	static const struct within all[] = {
		I(getc_unlocked, false, false),
		I(fgets_unlocked, false, false),
		I(fread_unlocked, false, false),
		I(fgetwc_unlocked, false, false),
		I(getc, false, true),
		I(fgets, false, true),
		I(getline, false, true),
		I(fscanf, false, true),
		I(getwc, false, true),
		I(fwrite_unlocked, true, false),
		I(fputs_unlocked, true, false),
		I(fputc_unlocked, true, false),
		I(fwrite, true, true),
		I(fputc, true, true),
		I(fprintf, true, true),
		I(fflush, true, true),
	};
	enum { N = sizeof all / sizeof *all };
	memset(block, 'x', sizeof block - 1);
	sem_init(&here, 0, 0);
	for (int i = 0; i < N; i++)
		enter(&all[i], false);
	puts("under a lock of its own:");
	for (int i = 0; i < N; i++)
		enter(&all[i], true);
	pthread_t t = spawn(parked_until, &here);
	report_threads();
	sem_post(&here);
	join(t);
	return 0;
}
