/* What a greenlet waits for. */
#include "lib/watch/waits.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/sys.h"
#include "lib/io/offload.h"
#include "lib/watch/outside.h"
#include "lib/watch/running.h"
#include "lib/watch/symbol.h"

const char *gev__state_word(const struct gev__seen *s)
{
	switch (s->state) {
	case GEV__NEW:
		return "new";
	case GEV__READY:
		return "ready";
	case GEV__RUNNING:
		return "runs";
	case GEV__PARKED:
		return "waits";
	default:
		return "ended";
	}
}

void gev__display_name(const struct gev__seen *s, char *out, size_t room)
{
	if (*s->name)
		snprintf(out, room, "%s", s->name);
	else if (s->is_main)
		snprintf(out, room, "main");
	else if (!gev__symbol_name((uintptr_t)s->entry, out, room))
		snprintf(out, room, "?");
}

/* ---- Descriptors ---- */

static void address_text(char *out, size_t room, const struct sockaddr_storage *a, socklen_t size)
{
	char ip[INET6_ADDRSTRLEN];
	if (a->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)a;
		inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
		snprintf(out, room, "%s:%u", ip, ntohs(in->sin_port));
	} else if (a->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)a;
		inet_ntop(AF_INET6, &in->sin6_addr, ip, sizeof ip);
		snprintf(out, room, "[%s]:%u", ip, ntohs(in->sin6_port));
	} else if (a->ss_family == AF_UNIX && size > sizeof(sa_family_t)) {
		const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)a;
		int length = (int)(size - sizeof(sa_family_t));
		/* unix(7): a name that starts with a zero byte is an abstract one. */
		snprintf(out, room, "%s%.*s", un->sun_path[0] ? "" : "@", un->sun_path[0] ? length : length - 1,
			 un->sun_path + !un->sun_path[0]);
	} else {
		snprintf(out, room, "unnamed");
	}
}

static bool socket_text(int fd, char *out, size_t room)
{
	struct sockaddr_storage here = {0}, there = {0};
	socklen_t here_size = sizeof here, there_size = sizeof there, int_size = sizeof(int);
	int listens = 0;
	char a[128], b[128];
	if (gev__sys.syscall(SYS_getsockname, fd, (long)&here, (long)&here_size, 0, 0, 0) != 0)
		return false;
	const char *kind = here.ss_family == AF_UNIX ? "unix socket" : "socket";
	address_text(a, sizeof a, &here, here_size);
	gev__sys.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_size);
	if (listens) {
		snprintf(out, room, "listening %s %s", kind, a);
	} else if (gev__sys.syscall(SYS_getpeername, fd, (long)&there, (long)&there_size, 0, 0, 0) == 0) {
		address_text(b, sizeof b, &there, there_size);
		snprintf(out, room, "%s %s, peer %s", kind, a, b);
	} else {
		snprintf(out, room, "%s %s", kind, a);
	}
	return true;
}

/* The process whose end that descriptor tells, by being readable; 0: none (pidfd_open(2); proc(5), fdinfo). */
static pid_t process_of(int fd)
{
	char path[64], info[512];
	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", getpid(), fd);
	const char *line = gev__slurp(path, info, sizeof info) ? strstr(info, "\nPid:") : NULL;
	long pid = line ? strtol(line + sizeof "\nPid:" - 1, NULL, 10) : 0;
	return pid > 0 ? (pid_t)pid : 0;
}

/* "socket 127.0.0.1:80, peer 127.0.0.1:4711", or what /proc calls it. */
static void fd_text(int fd, char *out, size_t room)
{
	int copy = gev__borrow_fd(fd);
	bool known = copy >= 0 && socket_text(copy, out, room);
	if (copy >= 0)
		gev__sys.close(copy);
	if (known)
		return;
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd/%d", getpid(), fd);
	ssize_t n = readlink(path, out, room - 1);
	if (n < 0)
		n = snprintf(out, room, "closed");
	out[n] = '\0';
}

/* The first of several. */
static void fds_text(struct gev__text *t, const struct gev__seen *s)
{
	char about[300];
	gev__text_add(t, "one of %d descriptors: ", s->fds);
	for (int i = 0; i < GEV__FEW && i < s->fds; i++) {
		fd_text(s->few[i], about, sizeof about);
		gev__text_add(t, "%s%d (%s)", i ? ", " : "", s->few[i], about);
	}
	if (s->fds > GEV__FEW)
		gev__text_add(t, " and %d more", s->fds - GEV__FEW);
}

static void fds_json(struct gev__text *t, const struct gev__seen *s)
{
	gev__text_add(t, "\"descriptors\",\"n\":%d,\"fds\":[", s->fds);
	for (int i = 0; i < GEV__FEW && i < s->fds; i++)
		gev__text_add(t, "%s%d", i ? "," : "", s->few[i]);
	gev__text_add(t, "]");
}

static const char *way_word(int way)
{
	switch (way) {
	case GEV_READABLE:
		return "read";
	case GEV_WRITABLE:
		return "write";
	case GEV_READABLE | GEV_WRITABLE:
		return "read or write";
	default:
		return "poll";
	}
}

/* ---- Objects ---- */

static const struct {
	unsigned kind;
	const char *word; /* in JSON */
	const char *text;
	const char *owner; /* what the owner does with it; NULL: it has none */
} objects[] = {
	{GEV_ON_GREENLET, "greenlet", "the end of", NULL},
	{GEV_ON_THREAD, "thread", "the end of", NULL},
	{GEV_ON_MUTEX, "mutex", "mutex", "held by"},
	{GEV_ON_COND, "condition", "condition", NULL},
	{GEV_ON_SEM, "semaphore", "semaphore", NULL},
	{GEV_ON_RWLOCK, "rwlock", "rwlock to read", "held by"},
	{GEV_ON_RWLOCK_WRITER, "rwlock", "rwlock to write", "held by"},
	{GEV_ON_BARRIER, "barrier", "barrier", NULL},
	{GEV_ON_ONCE, "once", "once", NULL},
	{GEV_ON_FUTEX, "futex", "futex", NULL},
	{GEV_ON_QUEUE, "queue", "queue", NULL},
	{GEV_ON_CALL, "call", "a system call", NULL},
	{GEV_ON_CHILD, "child", "a child", NULL},
	{GEV__ON_JOB, "offload", "what is offloaded", NULL},
	{0, "object", "object", NULL},
};

static size_t object_of(unsigned kind)
{
	size_t i = 0;
	while (objects[i].kind != kind && objects[i].kind != 0)
		i++;
	return i;
}

static bool is_end(const struct gev__seen *s)
{
	return s->kind == GEV_ON_GREENLET || s->kind == GEV_ON_THREAD;
}

static void object_text(struct gev__text *t, const struct gev__picture *p, const struct gev__seen *s)
{
	size_t i = object_of(s->kind);
	char name[128];
	const struct gev__seen *owner = s->owner ? gev__picture_find(p, s->owner) : NULL;
	if (is_end(s) && s->fds > 1) {
		gev__text_add(t, "the ends of %d greenlets", s->fds);
		return;
	}
	gev__text_add(t, "%s", objects[i].text);
	if (!is_end(s) && s->kind != GEV_ON_CHILD) {
		uintptr_t address = (uintptr_t)s->object - (s->kind == GEV_ON_RWLOCK_WRITER ? 8 : 0);
		if (gev__symbol_name(address, name, sizeof name))
			gev__text_add(t, " %s", name);
		else
			gev__text_add(t, " 0x%zx", (size_t)address);
	}
	if (owner) {
		gev__display_name(owner, name, sizeof name);
		gev__text_add(t, "%s%s %u (%s)", is_end(s) ? "" : ", ", is_end(s) ? "" : objects[i].owner, owner->id,
			      name);
	}
}

/* ---- What is offloaded ---- */

struct job {
	struct gev__job seen;
	char host[256]; /* "": it looks up no name */
	char function[128];
};

/* A job lies on the stack of who waits for it, or is given back once he does not. */
static bool read_job(const struct gev__seen *s, struct job *j)
{
	*j = (struct job){0};
	if (s->kind != GEV__ON_JOB || gev__peek(s->object, &j->seen, sizeof j->seen) != sizeof j->seen)
		return false;
	if (j->seen.host)
		gev__peek(j->seen.host, j->host, sizeof j->host - 1);
	if (!gev__symbol_name((uintptr_t)j->seen.fn, j->function, sizeof j->function))
		snprintf(j->function, sizeof j->function, "0x%zx", (size_t)(uintptr_t)j->seen.fn);
	return true;
}

static void job_text(struct gev__text *t, const struct job *j)
{
	if (*j->host)
		gev__text_add(t, "the address of %s", j->host);
	else
		gev__text_add(t, "the offloaded %s", j->function);
	if (!j->seen.begun)
		gev__text_add(t, ", for which no thread is free");
}

/* The system call that a real thread makes for it; NULL: it waits for something else. */
static const char *call_of(const struct gev__seen *s)
{
	long number;
	if (s->kind != GEV_ON_CALL || gev__peek(s->object, &number, sizeof number) != sizeof number)
		return NULL;
	const char *name = gev__syscall_name(number);
	return name ? name : "?";
}

/* ---- All ---- */

static void add_left(struct gev__text *t, const struct gev__picture *p, const struct gev__seen *s)
{
	if (s->deadline == NEVER)
		return;
	gev__text_add(t, ", ");
	gev__text_time(t, s->deadline > p->at ? s->deadline - p->at : 0);
	gev__text_add(t, " left");
}

void gev__waits_text(struct gev__text *t, const struct gev__picture *p, const struct gev__seen *s)
{
	char about[300];
	struct job job;
	pid_t process;
	switch (s->waits_for) {
	case GEV__FOR_NOTHING:
		return;
	case GEV__FOR_FD:
		process = process_of(s->fd);
		fd_text(s->fd, about, sizeof about);
		if (process)
			gev__text_add(t, "the end of process %d", process);
		else
			gev__text_add(t, "descriptor %d to %s: %s", s->fd, way_word(s->way), about);
		break;
	case GEV__FOR_FDS:
		fds_text(t, s);
		break;
	case GEV__FOR_OBJECT:
		if (read_job(s, &job))
			job_text(t, &job);
		else if (call_of(s))
			gev__text_add(t, "the system call %s, made by a real thread", call_of(s));
		else
			object_text(t, p, s);
		break;
	case GEV__FOR_TIME:
		gev__text_add(t, "time");
		break;
	case GEV__FOR_EVENT:
		gev__text_add(t, "an event");
		break;
	}
	add_left(t, p, s);
}

static void object_json(struct gev__text *t, const struct gev__seen *s)
{
	char name[128];
	struct job job;
	if (read_job(s, &job)) {
		gev__text_add(t, "\"%s\"", *job.host ? "name" : "offload");
		gev__text_add(t, *job.host ? ",\"name\":" : ",\"function\":");
		gev__text_json(t, *job.host ? job.host : job.function);
		return;
	}
	if (call_of(s)) {
		gev__text_add(t, "\"call\",\"name\":\"%s\"", call_of(s));
		return;
	}
	gev__text_add(t, "\"%s\",\"address\":\"0x%zx\",\"symbol\":", objects[object_of(s->kind)].word,
		      (size_t)(uintptr_t)s->object);
	gev__text_json(t, gev__symbol_name((uintptr_t)s->object, name, sizeof name) ? name : NULL);
	if (s->owner)
		gev__text_add(t, ",\"owner\":%u", s->owner);
}

static void fd_json(struct gev__text *t, const struct gev__seen *s)
{
	char about[300];
	pid_t process = process_of(s->fd);
	if (process) {
		gev__text_add(t, "\"process\",\"process\":%d", process);
		return;
	}
	fd_text(s->fd, about, sizeof about);
	gev__text_add(t, "\"descriptor\",\"fd\":%d,\"to\":\"%s\",\"about\":", s->fd, way_word(s->way));
	gev__text_json(t, about);
}

void gev__waits_json(struct gev__text *t, const struct gev__picture *p, const struct gev__seen *s)
{
	struct gev__text words = {0};
	if (s->waits_for == GEV__FOR_NOTHING) {
		gev__text_add(t, "null");
		return;
	}
	gev__text_add(t, "{\"for\":");
	if (s->waits_for == GEV__FOR_FD)
		fd_json(t, s);
	else if (s->waits_for == GEV__FOR_FDS)
		fds_json(t, s);
	else if (s->waits_for == GEV__FOR_OBJECT)
		object_json(t, s);
	else
		gev__text_add(t, s->waits_for == GEV__FOR_TIME ? "\"time\"" : "\"event\"");
	if (s->deadline != NEVER)
		gev__text_add(t, ",\"left_ns\":%lld", (long long)(s->deadline > p->at ? s->deadline - p->at : 0));
	gev__waits_text(&words, p, s);
	gev__text_add(t, ",\"text\":");
	gev__text_json(t, words.at);
	gev__text_done(&words);
	gev__text_add(t, "}");
}
