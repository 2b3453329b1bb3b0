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

/* What the other process began with, as far as we may look: its variables, one behind the other, and how many bytes. */
static size_t environment_of(pid_t pid, char *out, size_t room)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(out, 1, room - 1, f) : 0;
	if (f)
		fclose(f);
	out[n] = '\0';
	return n;
}

static const char *variable(const char *environment, size_t n, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = environment; at < environment + n; at += strlen(at) + 1)
		if (strncmp(at, name, length) == 0 && at[length] == '=')
			return at + length + 1;
	return NULL;
}

static int no_socket(pid_t pid, const char *asked, char *why, size_t size)
{
	if (asked && strcmp(asked, "1") == 0)
		snprintf(why, size, "process %d has made no thread yet, so it has no greenlets to ask for", (int)pid);
	else
		snprintf(why, size,
			 "process %d has no control socket: start it with GEV_CONTROL=1; "
			 "it is there when the first thread is made",
			 (int)pid);
	return -1;
}

/* Who the process is by now; it may have been somebody else when it made the socket. */
static uid_t user_of(pid_t pid, uid_t unknown)
{
	char path[64], line[256];
	unsigned user = unknown;
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "Uid: %*u %u", &user) == 1)
			break;
	if (f)
		fclose(f);
	return user;
}

/* The descriptor; or -errno of the one that was there and could not be used, else -ENOENT. */
static int connect_in(const char *folder, pid_t pid)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	int n = snprintf(where.sun_path, sizeof where.sun_path, "%s/%d.sock", folder, (int)pid);
	int fd = n < (int)sizeof where.sun_path ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	if (fd < 0 || connect(fd, (const struct sockaddr *)&where, sizeof where) == 0)
		return fd < 0 ? -ENOENT : fd;
	int error = errno;
	close(fd);
	return -error;
}

static int connect_to(pid_t pid, char *why, size_t size)
{
	char path[64], folder[sizeof((struct sockaddr_un *)NULL)->sun_path];
	static char environment[1 << 16];
	struct stat st;
	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	if (stat(path, &st) != 0) {
		snprintf(why, size, "there is no process %d", (int)pid);
		return -1;
	}
	size_t n = environment_of(pid, environment, sizeof environment);
	/* Of processes of one session it is the same. */
	const char *runtime = n ? variable(environment, n, "XDG_RUNTIME_DIR") : getenv("XDG_RUNTIME_DIR");
	const uid_t users[] = {user_of(pid, st.st_uid), st.st_uid, geteuid()};
	for (size_t u = 0; u < sizeof users / sizeof *users; u++) {
		for (int i = 0; i < GEV__PLACES; i++) {
			int fd = gev__control_place(i, users[u], runtime, folder, sizeof folder)
				       ? connect_in(folder, pid)
				       : -ENOENT;
			if (fd >= 0)
				return fd;
			if (fd == -EACCES) {
				snprintf(why, size, "process %d belongs to somebody else", (int)pid);
				return -1;
			}
		}
	}
	return no_socket(pid, variable(environment, n, "GEV_CONTROL"), why, size);
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
