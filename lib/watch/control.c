/* The control socket. */
#include "lib/watch/control.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/sys.h"
#include "lib/watch/outside.h"
#include "lib/watch/picture.h"
#include "lib/watch/place.h"
#include "lib/watch/record.h"
#include "lib/watch/report.h"
#include "lib/watch/stats.h"
#include "lib/watch/symbol.h"
#include "lib/watch/text.h"

static char runtime[96]; /* XDG_RUNTIME_DIR */
static struct sockaddr_un name;
static pid_t maker;

void gev__control_prepare(void)
{
	const char *given = secure_getenv("XDG_RUNTIME_DIR");
	if (given && strlen(given) < sizeof runtime)
		memcpy(runtime, given, strlen(given) + 1);
}

/* ---- Making it ---- */

/* Whether the folder is there (made, if it was not), is ours, and nobody else may enter it. */
static bool private_folder(const char *path)
{
	struct stat st;
	mkdir(path, 0700);
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

/* Sockets of processes that could not take theirs away: killed ones. */
static void sweep(const char *folder)
{
	DIR *dir = opendir(folder);
	if (dir == NULL)
		return;
	for (const struct dirent *e; (e = readdir(dir));) {
		char *end, path[512];
		long pid = strtol(e->d_name, &end, 10);
		if (pid <= 0 || strcmp(end, ".sock") != 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		unlink(path);
	}
	closedir(dir);
}

static int open_in(const char *folder)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	if (!private_folder(folder))
		return -1;
	sweep(folder);
	int n = snprintf(where.sun_path, sizeof where.sun_path, "%s/%d.sock", folder, getpid());
	if (n >= (int)sizeof where.sun_path)
		return -1;
	int fd = gev__sys.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	unlink(where.sun_path); /* left by an earlier process of this number, or by what this one was before an exec */
	/* Nobody can connect before the mode is right: it does not listen yet. */
	if (gev__sys.bind(fd, (const struct sockaddr *)&where, sizeof where) != 0 || chmod(where.sun_path, 0600) != 0 ||
	    gev__sys.listen(fd, 16) != 0) {
		gev__sys.close(fd);
		return -1;
	}
	name = where;
	maker = getpid();
	return fd;
}

int gev__control_open(void)
{
	for (int i = 0; i < GEV__PLACES; i++) {
		char folder[sizeof name.sun_path];
		int fd = gev__control_place(i, geteuid(), runtime, folder, sizeof folder) ? open_in(folder) : -1;
		if (fd >= 0)
			return fd;
	}
	static const char message[] = "libgev: GEV_CONTROL=1: no folder for the socket; nobody can ask this process\n";
	gev__say_all(message, sizeof message - 1);
	return -1;
}

void gev__control_remove(void)
{
	if (maker == getpid())
		unlink(name.sun_path);
}

/* ---- Answering ---- */

static bool word(const char **at, char *out, size_t room)
{
	size_t n = 0;
	while (isspace((unsigned char)**at))
		++*at;
	for (; **at && !isspace((unsigned char)**at); ++*at)
		if (n + 1 < room)
			out[n++] = **at;
	out[n] = '\0';
	return n > 0;
}

static void head_json(struct gev__text *t, const struct gev__picture *p)
{
	gev__text_add(t, "{\"pid\":%d,\"version\":\"%s\",\"at_ns\":%lld,\"greenlets\":%zu,\"partial\":%s,\"hubs\":[",
		      getpid(), GEV_VERSION, (long long)p->at, p->n, p->partial ? "true" : "false");
	for (size_t i = 0; i < p->hubs_n; i++)
		gev__text_add(t, "%s{\"os_thread\":%d,\"asleep\":%s,\"ready\":%zu}", i ? "," : "", p->hubs[i].tid,
			      p->hubs[i].asleep ? "true" : "false", p->hubs[i].ready);
	gev__text_add(t, "]}\n");
}

static void fail(struct gev__text *t, bool json, const char *what)
{
	if (json) {
		gev__text_add(t, "{\"error\":");
		gev__text_json(t, what);
		gev__text_add(t, "}\n");
	} else {
		gev__text_add(t, "error: %s\n", what);
	}
}

static void picture_answer(struct gev__text *t, bool stacks, uint32_t id, bool json)
{
	struct gev__picture p;
	gev__hubs_lock();
	if (gev__picture_take(&p) < 0) {
		gev__hubs_unlock();
		fail(t, json, "no memory");
		return;
	}
	bool found = true;
	gev__symbols_begin();
	if (json)
		head_json(t, &p);
	if (stacks)
		found = json ? gev__report_bt_json(t, &p, id) : gev__report_bt(t, &p, id);
	else if (json)
		gev__report_ps_json(t, &p);
	else
		gev__report_ps(t, &p);
	gev__symbols_end();
	gev__hubs_unlock();
	gev__picture_done(&p);
	if (!found)
		fail(t, json, "there is no such greenlet");
}

static void answer(struct gev__text *t, const char *question)
{
	char command[16], argument[16];
	uint32_t id = 0;
	bool json = false;
	if (!word(&question, command, sizeof command)) {
		fail(t, false, "no question");
		return;
	}
	while (word(&question, argument, sizeof argument)) {
		if (strcmp(argument, "json") == 0)
			json = true;
		else
			id = (uint32_t)strtoul(argument, NULL, 10);
	}
	if (strcmp(command, "ps") == 0) {
		picture_answer(t, false, 0, json);
	} else if (strcmp(command, "bt") == 0) {
		picture_answer(t, true, id, json);
	} else if (strcmp(command, "stats") == 0) {
		gev__stats_text(t, json);
	} else {
		fail(t, json, "the questions are: ps [json], bt [ID] [json], stats [json]");
	}
}

static void send_all(int fd, const char *at, size_t n)
{
	while (n > 0) {
		ssize_t sent = gev__sys.send(fd, at, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return; /* gone, or it does not read */
		at += sent;
		n -= (size_t)sent;
	}
}

static bool may_ask(int fd)
{
	struct ucred who;
	socklen_t size = sizeof who;
	return gev__sys.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
	       (who.uid == geteuid() || who.uid == 0);
}

void gev__control_serve(int listener)
{
	int fd = gev__sys.accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	/* One that asks nothing, or does not read, holds the others up no longer than this. */
	const struct timeval patience = {.tv_sec = 5};
	gev__sys.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	gev__sys.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	char question[128];
	size_t n = 0;
	while (may_ask(fd) && n < sizeof question - 1) {
		ssize_t got = gev__sys.recv(fd, question + n, sizeof question - 1 - n, 0);
		if (got <= 0)
			break;
		n += (size_t)got;
		if (memchr(question, '\n', n))
			break;
	}
	question[n] = '\0';
	if (n > 0) {
		struct gev__text t = {0};
		answer(&t, question);
		if (t.at)
			send_all(fd, t.at, t.n);
		gev__text_done(&t);
	}
	gev__sys.close(fd);
}
