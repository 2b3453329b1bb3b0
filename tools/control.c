/* control.c: the clients of the control socket. They print what they are told. */
#include "tools/control.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/watch/place.h"
#include "tools/command.h"

/* The other process's own XDG_RUNTIME_DIR, if we may look; else ours, which is the same for processes of one session. */
static const char *runtime_of(pid_t pid)
{
	static char environment[1 << 16];
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(environment, 1, sizeof environment - 1, f) : 0;
	if (f)
		fclose(f);
	environment[n] = '\0';
	static const char name[] = "XDG_RUNTIME_DIR=";
	for (const char *at = environment; at < environment + n; at += strlen(at) + 1)
		if (strncmp(at, name, sizeof name - 1) == 0)
			return at + sizeof name - 1;
	return n ? NULL : getenv("XDG_RUNTIME_DIR");
}

static int connect_to(pid_t pid, char *why, size_t size)
{
	char path[64];
	struct stat st;
	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	if (stat(path, &st) != 0) {
		snprintf(why, size, "there is no process %d", (int)pid);
		return -1;
	}
	const char *runtime = runtime_of(pid);
	for (int i = 0; i < GEV__PLACES; i++) {
		struct sockaddr_un where = {.sun_family = AF_UNIX};
		char folder[sizeof where.sun_path];
		if (!gev__control_place(i, st.st_uid, runtime, folder, sizeof folder))
			continue;
		int n = snprintf(where.sun_path, sizeof where.sun_path, "%s/%d.sock", folder, (int)pid);
		if (n >= (int)sizeof where.sun_path)
			continue;
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, (const struct sockaddr *)&where, sizeof where) == 0)
			return fd;
		int error = errno;
		if (fd >= 0)
			close(fd);
		if (error == EACCES) {
			snprintf(why, size, "process %d belongs to somebody else", (int)pid);
			return -1;
		}
	}
	snprintf(
		why, size,
		"process %d has no control socket: start it with GEV_CONTROL=1; it is there when the first thread is made",
		(int)pid);
	return -1;
}

int control_ask(pid_t pid, const char *question, char *why, size_t size)
{
	int fd = connect_to(pid, why, size);
	if (fd >= 0 && send(fd, question, strlen(question), MSG_NOSIGNAL) < 0) {
		snprintf(why, size, "process %d: %s", (int)pid, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

/* Copies the answer. Whether there was one, and it was not an error. */
static bool print_answer(int fd)
{
	char buffer[1 << 16];
	bool first = true, good = false;
	for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0; first = false) {
		if (first)
			good = strncmp(buffer, "error:", 6) != 0 && strncmp(buffer, "{\"error\"", 8) != 0;
		fwrite(buffer, 1, (size_t)n, good ? stdout : stderr);
	}
	return good && fflush(stdout) == 0;
}

static bool number(const char *text, long *out)
{
	char *end;
	errno = 0;
	*out = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *out > 0 && *out <= 0x7fffffff;
}

static int control(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	bool json = false, takes_greenlet = strcmp(argv[0], "bt") == 0;
	optind = 0; /* begins anew, and takes options behind arguments: getopt(3) */
	for (int c; (c = getopt_long(argc, argv, "hj", options, NULL)) != -1;) {
		if (c == 'h')
			return print_help(argv[0]);
		if (c != 'j')
			return EXIT_GEV;
		json = true;
	}
	long pid = 0, greenlet = 0;
	int left = argc - optind;
	if (left < 1 || left > 1 + takes_greenlet || !number(argv[optind], &pid) ||
	    (left == 2 && !number(argv[optind + 1], &greenlet)))
		return misused(argv[0], "it wants the number of a process%s",
			       takes_greenlet ? ", and perhaps that of a greenlet" : "");
	char question[64], why[256];
	int n = snprintf(question, sizeof question, "%s", argv[0]);
	if (greenlet)
		n += snprintf(question + n, sizeof question - (size_t)n, " %ld", greenlet);
	snprintf(question + n, sizeof question - (size_t)n, "%s\n", json ? " json" : "");
	int fd = control_ask((pid_t)pid, question, why, sizeof why);
	if (fd < 0) {
		fprintf(stderr, "gev: %s\n", why);
		return EXIT_FAILURE;
	}
	bool good = print_answer(fd);
	close(fd);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_ps = {"ps", "the greenlets of a process: what each waits for, and for how long", control};
const struct command command_bt = {"bt", "the stacks of a process's greenlets", control};
const struct command command_stats = {"stats", "what a process has counted until now", control};
