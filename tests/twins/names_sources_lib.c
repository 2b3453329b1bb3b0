/* The library of names_sources, found by libc under the name of libnss_twin.so.2: a source of everything that nsswitch.conf knows (nss(5)), which says that
 * it was asked, and answers when it is told to. A name that begins with "no" it does not have. */
#include <aliases.h>
#include <grp.h>
#include <gshadow.h>
#include <netdb.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <sys/syscall.h>

#include "twin.h"

#define OURS __attribute__((visibility("default")))

OURS extern int source_asked[2], source_told[2];
OURS int source_asked[2], source_told[2];

/* Past libc's read: nobody but a real thread gets on meanwhile. */
static void wait_for_leave(void)
{
	char byte = 'a';
	check(syscall(SYS_write, source_asked[1], &byte, 1) == 1);
	check(syscall(SYS_read, source_told[0], &byte, 1) == 1);
}

/* Where an answer's strings lie. */
struct room {
	char *at;
	size_t left;
};

static char *copy(struct room *r, const char *text)
{
	char *copied = r->at;
	size_t size = strlen(text) + 1;
	check(size <= r->left);
	memcpy(copied, text, size);
	r->at += size;
	r->left -= size;
	return copied;
}

/* A list of pointers: that one alone, if any. */
static char **list(struct room *r, char *only)
{
	size_t skip = -(uintptr_t)r->at % sizeof(char *);
	char **pointers = (char **)(void *)(r->at + skip);
	check(skip + 2 * sizeof *pointers <= r->left);
	pointers[0] = only;
	pointers[1] = NULL;
	r->at += skip + 2 * sizeof *pointers;
	r->left -= skip + 2 * sizeof *pointers;
	return pointers;
}

/* ---- What the answers are ---- */

static void fill_pw(struct passwd *e, const char *name, struct room *r)
{
	char *text = copy(r, name);
	*e = (struct passwd){text, text, 4321, 4321, text, text, text};
}

static void fill_gr(struct group *e, const char *name, struct room *r)
{
	char *text = copy(r, name);
	*e = (struct group){text, text, 4321, list(r, text)};
}

static void fill_sp(struct spwd *e, const char *name, struct room *r)
{
	char *text = copy(r, name);
	*e = (struct spwd){.sp_namp = text, .sp_pwdp = text};
}

static void fill_sg(struct sgrp *e, const char *name, struct room *r)
{
	char *text = copy(r, name);
	*e = (struct sgrp){text, text, list(r, text), list(r, NULL)};
}

static void fill_alias(struct aliasent *e, const char *name, struct room *r)
{
	*e = (struct aliasent){copy(r, name), 0, list(r, NULL), 1};
}

static void fill_host(struct hostent *e, const char *name, struct room *r)
{
	char *address = copy(r, "\177\1\1\1");
	*e = (struct hostent){copy(r, name), list(r, NULL), AF_INET, 4, list(r, address)};
}

static void fill_net(struct netent *e, const char *name, struct room *r)
{
	*e = (struct netent){copy(r, name), list(r, NULL), AF_INET, 42};
}

static void fill_proto(struct protoent *e, const char *name, struct room *r)
{
	*e = (struct protoent){copy(r, name), list(r, NULL), 42};
}

static void fill_serv(struct servent *e, const char *name, struct room *r)
{
	*e = (struct servent){copy(r, name), list(r, NULL), 42, copy(r, "tcp")};
}

static void fill_rpc(struct rpcent *e, const char *name, struct room *r)
{
	*e = (struct rpcent){copy(r, name), list(r, NULL), 42};
}

/* ---- The functions (the glibc manual, "NSS Modules Interface") ---- */

#define SOURCE(name, ...)                                                                                              \
	OURS enum nss_status _nss_twin_##name(__VA_ARGS__);                                                            \
	enum nss_status _nss_twin_##name(__VA_ARGS__)

static enum nss_status none(int *error)
{
	*error = ENOTDIR;
	return NSS_STATUS_NOTFOUND;
}

#define ANSWER(kind, name)                                                                                             \
	wait_for_leave();                                                                                              \
	if (strncmp(name, "no", 2) == 0)                                                                               \
		return none(error);                                                                                    \
	fill_##kind(e, name, &(struct room){buffer, room});                                                            \
	return NSS_STATUS_SUCCESS
#define ANSWER_HOST(kind, name)                                                                                        \
	wait_for_leave();                                                                                              \
	if (strncmp(name, "no", 2) == 0) {                                                                             \
		*h_error = HOST_NOT_FOUND;                                                                             \
		return none(error);                                                                                    \
	}                                                                                                              \
	fill_##kind(e, name, &(struct room){buffer, room});                                                            \
	return NSS_STATUS_SUCCESS

#define ALL(kind, type, opens)                                                                                         \
	SOURCE(set##kind##ent, opens)                                                                                  \
	{                                                                                                              \
		wait_for_leave();                                                                                      \
		return NSS_STATUS_SUCCESS;                                                                             \
	}                                                                                                              \
	SOURCE(end##kind##ent, void)                                                                                   \
	{                                                                                                              \
		wait_for_leave();                                                                                      \
		return NSS_STATUS_SUCCESS;                                                                             \
	}
#define EACH(kind, type)                                                                                               \
	ALL(kind, type, int stay)                                                                                      \
	SOURCE(get##kind##ent_r, struct type *e, char *buffer, size_t room, int *error)                                \
	{                                                                                                              \
		ANSWER(kind, "each");                                                                                  \
	}
#define EACH_HOST(kind, type)                                                                                          \
	ALL(kind, type, int stay)                                                                                      \
	SOURCE(get##kind##ent_r, struct type *e, char *buffer, size_t room, int *error, int *h_error)                  \
	{                                                                                                              \
		ANSWER_HOST(kind, "each");                                                                             \
	}
#define BY_NAME(function, kind, type)                                                                                  \
	SOURCE(function, const char *name, struct type *e, char *buffer, size_t room, int *error)                      \
	{                                                                                                              \
		ANSWER(kind, name);                                                                                    \
	}
#define BY_NUMBER(function, kind, type)                                                                                \
	SOURCE(function, int number, struct type *e, char *buffer, size_t room, int *error)                            \
	{                                                                                                              \
		ANSWER(kind, number < 0 ? "no" : "numbered");                                                          \
	}

EACH(pw, passwd)
BY_NAME(getpwnam_r, pw, passwd)
BY_NUMBER(getpwuid_r, pw, passwd)
EACH(gr, group)
BY_NAME(getgrnam_r, gr, group)
BY_NUMBER(getgrgid_r, gr, group)
EACH(sp, spwd)
BY_NAME(getspnam_r, sp, spwd)
EACH(sg, sgrp)
BY_NAME(getsgnam_r, sg, sgrp)
EACH(alias, aliasent)
BY_NAME(getaliasbyname_r, alias, aliasent)
EACH(proto, protoent)
BY_NAME(getprotobyname_r, proto, protoent)
BY_NUMBER(getprotobynumber_r, proto, protoent)
EACH(serv, servent)
EACH(rpc, rpcent)
BY_NAME(getrpcbyname_r, rpc, rpcent)
BY_NUMBER(getrpcbynumber_r, rpc, rpcent)
EACH_HOST(host, hostent)
EACH_HOST(net, netent)

SOURCE(initgroups_dyn, const char *user, gid_t group, long *start, long *size, gid_t **groups, long limit, int *error)
{
	wait_for_leave();
	check(*start < *size);
	(*groups)[(*start)++] = 4321;
	return NSS_STATUS_SUCCESS;
}

SOURCE(getservbyname_r, const char *name, const char *protocol, struct servent *e, char *buffer, size_t room,
       int *error)
{
	ANSWER(serv, name);
}

SOURCE(getservbyport_r, int port, const char *protocol, struct servent *e, char *buffer, size_t room, int *error)
{
	ANSWER(serv, "numbered");
}

SOURCE(gethostbyname_r, const char *name, struct hostent *e, char *buffer, size_t room, int *error, int *h_error)
{
	ANSWER_HOST(host, name);
}

SOURCE(gethostbyname2_r, const char *name, int family, struct hostent *e, char *buffer, size_t room, int *error,
       int *h_error)
{
	ANSWER_HOST(host, name);
}

SOURCE(gethostbyaddr_r, const void *address, socklen_t size, int family, struct hostent *e, char *buffer, size_t room,
       int *error, int *h_error)
{
	ANSWER_HOST(host, "numbered");
}

SOURCE(getnetbyname_r, const char *name, struct netent *e, char *buffer, size_t room, int *error, int *h_error)
{
	ANSWER_HOST(net, name);
}

SOURCE(getnetbyaddr_r, uint32_t net, int type, struct netent *e, char *buffer, size_t room, int *error, int *h_error)
{
	ANSWER_HOST(net, "numbered");
}

/* ---- Ethernet addresses: netinet/ether.h of libc's own sources ---- */

struct ether_entry {
	const char *name;
	unsigned char address[6];
};

SOURCE(gethostton_r, const char *name, struct ether_entry *e, char *buffer, size_t room, int *error)
{
	wait_for_leave();
	*e = (struct ether_entry){name, {1, 2, 3, 4, 5, 6}};
	return NSS_STATUS_SUCCESS;
}

SOURCE(getntohost_r, const void *address, struct ether_entry *e, char *buffer, size_t room, int *error)
{
	wait_for_leave();
	*e = (struct ether_entry){copy(&(struct room){buffer, room}, "numbered"), {1, 2, 3, 4, 5, 6}};
	return NSS_STATUS_SUCCESS;
}

/* ---- Netgroups: inet/netgroup.h of libc's own sources, as far as it is read here ---- */

struct triples {
	int is_group;
	const char *host, *user, *domain;
};

static bool given;

SOURCE(setnetgrent, const char *group, void *result)
{
	wait_for_leave();
	given = false;
	return NSS_STATUS_SUCCESS;
}

SOURCE(endnetgrent, void *result)
{
	wait_for_leave();
	return NSS_STATUS_SUCCESS;
}

SOURCE(getnetgrent_r, struct triples *result, char *buffer, size_t room, int *error)
{
	struct room r = {buffer, room};
	wait_for_leave();
	if (given)
		return none(error);
	given = true;
	result->is_group = 0;
	result->host = copy(&r, "host");
	result->user = copy(&r, "user");
	result->domain = copy(&r, "domain");
	return NSS_STATUS_SUCCESS;
}

/* ---- Keys ---- */

SOURCE(getpublickey, const char *name, char *key, int *error)
{
	wait_for_leave();
	strcpy(key, "public");
	return NSS_STATUS_SUCCESS;
}

SOURCE(getsecretkey, const char *name, char *key, char *password, int *error)
{
	wait_for_leave();
	strcpy(key, "secret");
	return NSS_STATUS_SUCCESS;
}

SOURCE(netname2user, char *name, uid_t *user, gid_t *group, int *n, gid_t *groups, int *error)
{
	wait_for_leave();
	*user = 4321;
	*group = 1234;
	*n = 0;
	return NSS_STATUS_SUCCESS;
}
