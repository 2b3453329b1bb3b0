/* What libc says on standard error, when that is a full pipe: the caller waits, another thread empties it. Those that end the process do so in a
 * child. */
#include "streams.h"

#include <argp.h>
#include <err.h>
#include <error.h>
#include <execinfo.h>
#include <fmtmsg.h>
#include <getopt.h>
#include <malloc.h>
#include <netdb.h>
#include <signal.h>
#include <sys/wait.h>

static void say_vwarn(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	errno = EAGAIN;
	vwarn(format, ap);
	va_end(ap);
}

static void say_vwarnx(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vwarnx(format, ap);
	va_end(ap);
}

static void say_verr(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	errno = EPERM;
	verr(4, format, ap);
	va_end(ap);
}

static void say_verrx(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	verrx(5, format, ap);
	va_end(ap);
}

int __posix_getopt(int n, char *const *args, const char *options);

static char *unknown[] = {"program", "--unknown", NULL}, *unknown_letter[] = {"program", "-x", NULL};
static const struct option long_names[] = {{"known", no_argument, NULL, 'k'}, {0}};

/* An option that says something by each of argp's functions. */
static error_t say_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'e':
		argp_error(state, "number %d", 12);
		return 0;
	case 'f':
		argp_failure(state, 0, EPERM, "number %d", 13);
		return 0;
	case 's':
		argp_state_help(state, stderr, ARGP_HELP_USAGE);
		return 0;
	case 'u':
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}
static const struct argp_option argp_options[] = {
	{"error", 'e', NULL, 0, "an error", 0},
	{"failure", 'f', NULL, 0, "a failure", 0},
	{"state", 's', NULL, 0, "the state", 0},
	{"use", 'u', NULL, 0, "the use", 0},
	{0},
};
static const struct argp argp = {.options = argp_options, .parser = say_option, .doc = "what it is for"};

static void parse_argument(const char *option)
{
	char name[] = "program", what[20];
	char *args[] = {name, what, NULL};
	snprintf(what, sizeof what, "%s", option);
	argp_parse(&argp, 2, args, ARGP_NO_EXIT | ARGP_NO_HELP, NULL, NULL);
}

#define SAY(name, ...)                                                                                                 \
	static void say_##name##_now(void)                                                                             \
	{                                                                                                              \
		__VA_ARGS__;                                                                                           \
	}
SAY(perror, errno = ENOENT; perror("perror says"))
SAY(warn, errno = EIO; warn("number %d", 1))
SAY(warnx, warnx("number %d", 2))
SAY(vwarn, say_vwarn("number %d", 3))
SAY(vwarnx, say_vwarnx("number %d", 4))
SAY(error, error(0, EINVAL, "number %d", 5))
SAY(error_at_line, error_at_line(0, 0, "file.c", 17, "number %d", 6))
SAY(psignal, psignal(SIGUSR1, "psignal"))
SAY(psiginfo, psiginfo(&(siginfo_t){.si_signo = SIGUSR2, .si_pid = 1, .si_uid = 2}, "psiginfo"))
SAY(herror, h_errno = HOST_NOT_FOUND; herror("herror"))
SAY(fmtmsg, check(fmtmsg(MM_PRINT, "UX:cat", MM_ERROR, "text", "action", "UX:cat:001") == MM_OK))
SAY(getopt, char *args[] = {"program", "-x", NULL}; optind = 1; check(getopt(2, args, "y") == '?'))
SAY(posix_getopt, optind = 0; check(__posix_getopt(2, unknown_letter, "y") == '?'))
SAY(getopt_long, optind = 0; check(getopt_long(2, unknown, "k", long_names, NULL) == '?'))
SAY(getopt_long_only, optind = 0; check(getopt_long_only(2, unknown_letter, "k", long_names, NULL) == '?'))
SAY(argp_parse, parse_argument("--unknown"))
SAY(argp_error, parse_argument("-e"))
SAY(argp_failure, parse_argument("-f"))
SAY(argp_state_help, parse_argument("-s"))
SAY(argp_usage, parse_argument("-u"))
SAY(argp_help, char name[] = "program"; argp_help(&argp, stderr, ARGP_HELP_LONG, name))
SAY(malloc_stats, malloc_stats())
SAY(backtrace_symbols_fd, backtrace_symbols_fd((void *[]){(void *)16, (void *)0x123abc}, 2, 2))
SAY(err, errno = EPERM; err(2, "number %d", 7))
SAY(errx, errx(3, "number %d", 8))
SAY(verr, say_verr("number %d", 9))
SAY(verrx, say_verrx("number %d", 10))
SAY(error_ends, error(6, EDOM, "number %d", 11))

struct saying {
	const char *name;
	void (*say)(void);
	bool ends;
};

enum { FULL = 4096 };

static void *run_saying(void *arg)
{
	sem_post(&here);
	((const struct saying *)arg)->say();
	return NULL;
}

/* Addresses of the program, of libc and of nobody: as the other function says them. */
static void *compare_symbols(void *arg)
{
	static int datum;
	void *const addresses[] = {(void *)compare_symbols, (char *)(void *)puts + 1, &datum, (void *)16,
				   (void *)make_way};
	enum { N = sizeof addresses / sizeof *addresses };
	char **wanted = backtrace_symbols(addresses, N), text[10000], all[10000] = "";
	int fd[2];
	stream_pair(fd);
	backtrace_symbols_fd(addresses, N, fd[1]);
	check(shutdown(fd[1], SHUT_WR) == 0 && wanted != NULL);
	size_t size = 0;
	for (ssize_t n; (n = read(fd[0], text + size, sizeof text - 1 - size)) > 0;)
		size += (size_t)n;
	text[size] = '\0';
	/* But for a space in front of the address. */
	for (int i = 0; i < N; i++) {
		const char *address = strstr(wanted[i], "[0x");
		int place = (int)(address - wanted[i]);
		sprintf(all + strlen(all), "%.*s%s\n", place > 0 ? place - 1 : 0, wanted[i], address);
	}
	check(strcmp(text, all) == 0);
	free((void *)wanted);
	close(fd[0]);
	close(fd[1]);
	return arg;
}

static void *say_once_counted(void *arg)
{
	until_reported();
	return run_saying(arg);
}

/* A thread says it, while the pipe is full; it is emptied by the caller. */
static void say_to_full(const struct saying *s, const int fd[2])
{
	char full[FULL];
	sem_init(&here, 0, 0);
	pthread_t t = spawn(run_saying, (void *)s);
	wait_for(&here);
	sched_yield();
	read_all(fd[0], full, FULL);
	join(t);
}

static void say_it(const struct saying *s, int stderr_of_ours)
{
	static char full[FULL];
	int fd[2], status = 0;
	char text[FULL];
	fflush(stdout);
	check(pipe(fd) == 0 && fcntl(fd[1], F_SETPIPE_SZ, FULL) == FULL);
	memset(full, 'x', FULL);
	write_all(fd[1], full, FULL);
	check(dup2(fd[1], 2) == 2 && close(fd[1]) == 0);
	if (s->ends) {
		pid_t pid = fork();
		if (pid == 0)
			say_to_full(s, fd);
		check(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	} else {
		say_to_full(s, fd);
	}
	check(dup2(stderr_of_ours, 2) == 2);
	ssize_t n = read(fd[0], text, sizeof text);
	close(fd[0]);
	if (s->say == say_malloc_stats_now)
		n = (ssize_t)strcspn(text, "\n") + 1; /* the numbers after that are not the same in two runs */
	printf("%s: %d: %.*s", s->name, WEXITSTATUS(status), (int)n, text);
}

int main(void)
{
#define S(name)                                                                                                        \
	{                                                                                                              \
#name, say_##name##_now, false                                                                         \
	}
#define E(name)                                                                                                        \
	{                                                                                                              \
#name, say_##name##_now, true                                                                          \
	}
	static const struct saying all[] = {
		S(perror),
		S(warn),
		S(warnx),
		S(vwarn),
		S(vwarnx),
		S(error),
		S(error_at_line),
		S(psignal),
		S(psiginfo),
		S(herror),
		S(fmtmsg),
		S(getopt),
		S(malloc_stats),
		S(backtrace_symbols_fd),
		S(posix_getopt),
		S(getopt_long),
		S(getopt_long_only),
		S(argp_parse),
		S(argp_error),
		S(argp_failure),
		S(argp_state_help),
		S(argp_usage),
		S(argp_help),
		E(err),
		E(errx),
		E(verr),
		E(verrx),
		E(error_ends),
	};
	int ours = dup(2);
	setenv("MSGVERB", "label:severity:text:action:tag", 1);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		say_it(&all[i], ours);
	join(spawn(compare_symbols, NULL));
	static const struct saying last = {"warnx", say_warnx_now, false};
	pthread_t t = spawn(say_once_counted, (void *)&last);
	report_threads();
	join(t);
	return 0;
}
