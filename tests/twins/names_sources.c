/* Each function that asks the sources of nsswitch.conf, by a thread; the source answers when another thread lets it (names_sources_lib.c). */
#include <aliases.h>
#include <dlfcn.h>
#include <grp.h>
#include <gshadow.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>

#include "twin.h"

static int *source_asked, *source_told;

/* Kept for programs linked before glibc 2.32: no header has them. */
#if defined(__x86_64__)
#define OLDEST "GLIBC_2.2.5"
#else
#define OLDEST "GLIBC_2.17"
#endif
__asm__(".symver getpublickey, getpublickey@" OLDEST);
__asm__(".symver getsecretkey, getsecretkey@" OLDEST);
__asm__(".symver netname2user, netname2user@" OLDEST);
int getpublickey(const char *name, char *key);
int getsecretkey(const char *name, char *key, char *password);
int netname2user(const char *name, uid_t *user, gid_t *group, int *n, gid_t *groups);

static char buffer[4096];

/* ---- What is asked ---- */

/* One that returns an entry, and its form with _r, which returns an error number. */
#define FOUND(type, field, function, ...)                                                                              \
	static void ask_##function(void)                                                                               \
	{                                                                                                              \
		struct type *e = function(__VA_ARGS__);                                                                \
		int error = errno;                                                                                     \
		printf("%s (%s) ", e ? e->field : "none", e ? "" : strerrorname_np(error));                            \
	}
#define FOUND_R(type, field, function, ...)                                                                            \
	static void ask_##function(void)                                                                               \
	{                                                                                                              \
		struct type entry, *e = NULL;                                                                          \
		int r = function(__VA_ARGS__ & entry, buffer, sizeof buffer, &e);                                      \
		printf("%s (%d) ", e ? e->field : "none", r);                                                          \
	}
#define FOUND_HOST_R(type, field, function, ...)                                                                       \
	static void ask_##function(void)                                                                               \
	{                                                                                                              \
		struct type entry, *e = NULL;                                                                          \
		int h = 0, r = function(__VA_ARGS__ & entry, buffer, sizeof buffer, &e, &h);                           \
		printf("%s (%d %d) ", e ? e->field : "none", r, h);                                                    \
	}
#define DONE(function, ...)                                                                                            \
	static void ask_##function(void)                                                                               \
	{                                                                                                              \
		function(__VA_ARGS__);                                                                                 \
	}
#define SAID(function, ...)                                                                                            \
	static void ask_##function(void)                                                                               \
	{                                                                                                              \
		printf("%d ", (int)function(__VA_ARGS__));                                                             \
	}
#define AND ,

static struct in_addr here = {0x0100007f};
static struct ether_addr ethernet = {{1, 2, 3, 4, 5, 6}};

#define ACCOUNTS(type, field, set, each, each_r, end, by_name, by_name_r)                                              \
	DONE(set)                                                                                                      \
	FOUND(type, field, each)                                                                                       \
	FOUND_R(type, field, each_r, )                                                                                 \
	DONE(end)                                                                                                      \
	FOUND(type, field, by_name, "some")                                                                            \
	FOUND_R(type, field, by_name_r, "some" AND)
ACCOUNTS(passwd, pw_name, setpwent, getpwent, getpwent_r, endpwent, getpwnam, getpwnam_r)
FOUND(passwd, pw_name, getpwuid, 7)
FOUND_R(passwd, pw_name, getpwuid_r, 7 AND)
/* The caller's own errno, there and back. */
static void ask_getpwnam_none(void)
{
	errno = EXFULL;
	struct passwd *e = getpwnam("nobody");
	int error = errno;
	printf("%d %s ", e != NULL, strerrorname_np(error));
}

ACCOUNTS(group, gr_name, setgrent, getgrent, getgrent_r, endgrent, getgrnam, getgrnam_r)
FOUND(group, gr_name, getgrgid, 7)
FOUND_R(group, gr_name, getgrgid_r, 7 AND)
ACCOUNTS(spwd, sp_namp, setspent, getspent, getspent_r, endspent, getspnam, getspnam_r)
ACCOUNTS(sgrp, sg_namp, setsgent, getsgent, getsgent_r, endsgent, getsgnam, getsgnam_r)

static void ask_cuserid(void)
{
	char name[L_cuserid];
	printf("%s ", cuserid(name));
}

static void ask_getpw(void)
{
	int (*getpw)(uid_t, char *) = dlsym(RTLD_DEFAULT, "getpw"); /* the linker would warn of it */
	int r = getpw(7, buffer);
	printf("%d %s ", r, buffer);
}

static void ask_getgrouplist(void)
{
	gid_t groups[8];
	int n = 8, r = getgrouplist("some", 7, groups, &n);
	printf("%d %d %u ", r, n, groups[1]);
}

DONE(setaliasent)
FOUND(aliasent, alias_name, getaliasent)
FOUND_R(aliasent, alias_name, getaliasent_r, )
DONE(endaliasent)
FOUND(aliasent, alias_name, getaliasbyname, "some")
FOUND_R(aliasent, alias_name, getaliasbyname_r, "some" AND)

SAID(setnetgrent, "some")
SAID(innetgr, "some", "host", "user", "domain")
DONE(endnetgrent)

static void ask_getnetgrent(void)
{
	char *host = NULL, *user = NULL, *domain = NULL;
	int r = getnetgrent(&host, &user, &domain);
	printf("%d %s ", r, r ? user : "none");
}

static void ask_getnetgrent_r(void)
{
	char *host = NULL, *user = NULL, *domain = NULL;
	printf("%d ", getnetgrent_r(&host, &user, &domain, buffer, sizeof buffer));
}

static void ask_getpublickey(void)
{
	int r = getpublickey("some", buffer);
	printf("%d %s ", r, buffer);
}

static void ask_getsecretkey(void)
{
	int r = getsecretkey("some", buffer, buffer + 1000);
	printf("%d %s ", r, buffer);
}

static void ask_netname2user(void)
{
	uid_t user = 0;
	gid_t group = 0, groups[16];
	int n = 0, r = netname2user("unix.7@domain", &user, &group, &n, groups);
	printf("%d %u %u ", r, user, group);
}

DONE(sethostent, 1)
FOUND(hostent, h_name, gethostent)
FOUND_HOST_R(hostent, h_name, gethostent_r, )
DONE(endhostent)
FOUND(hostent, h_name, gethostbyname, "some.example")
FOUND_HOST_R(hostent, h_name, gethostbyname_r, "some.example" AND)
FOUND(hostent, h_name, gethostbyname2, "some.example", AF_INET)
FOUND_HOST_R(hostent, h_name, gethostbyname2_r, "some.example" AND AF_INET AND)
FOUND(hostent, h_name, gethostbyaddr, &here, sizeof here, AF_INET)
FOUND_HOST_R(hostent, h_name, gethostbyaddr_r, &here AND sizeof here AND AF_INET AND)

/* The caller's own h_errno. */
static void ask_gethostbyname_none(void)
{
	struct hostent *e = gethostbyname("nobody.example");
	printf("%d %d ", e != NULL, h_errno);
}

static void ask_gethostid(void)
{
	printf("%lx ", gethostid());
}

DONE(setnetent, 1)
FOUND(netent, n_name, getnetent)
FOUND_HOST_R(netent, n_name, getnetent_r, )
DONE(endnetent)
FOUND(netent, n_name, getnetbyname, "some")
FOUND_HOST_R(netent, n_name, getnetbyname_r, "some" AND)
FOUND(netent, n_name, getnetbyaddr, 7, AF_INET)
FOUND_HOST_R(netent, n_name, getnetbyaddr_r, 7 AND AF_INET AND)

static void ask_ether_hostton(void)
{
	struct ether_addr e = {{0}};
	int r = ether_hostton("some", &e);
	printf("%d %d ", r, e.ether_addr_octet[5]);
}
SAID(ether_ntohost, buffer, &ethernet)

DONE(setprotoent, 1)
FOUND(protoent, p_name, getprotoent)
FOUND_R(protoent, p_name, getprotoent_r, )
DONE(endprotoent)
FOUND(protoent, p_name, getprotobyname, "some")
FOUND_R(protoent, p_name, getprotobyname_r, "some" AND)
FOUND(protoent, p_name, getprotobynumber, 7)
FOUND_R(protoent, p_name, getprotobynumber_r, 7 AND)
DONE(setservent, 1)
FOUND(servent, s_name, getservent)
FOUND_R(servent, s_name, getservent_r, )
DONE(endservent)
FOUND(servent, s_name, getservbyname, "some", "tcp")
FOUND_R(servent, s_name, getservbyname_r, "some" AND "tcp" AND)
FOUND(servent, s_name, getservbyport, 7, "tcp")
FOUND_R(servent, s_name, getservbyport_r, 7 AND "tcp" AND)
DONE(setrpcent, 1)
FOUND(rpcent, r_name, getrpcent)
FOUND_R(rpcent, r_name, getrpcent_r, )
DONE(endrpcent)
FOUND(rpcent, r_name, getrpcbyname, "some")
FOUND_R(rpcent, r_name, getrpcbyname_r, "some" AND)
FOUND(rpcent, r_name, getrpcbynumber, 7)
FOUND_R(rpcent, r_name, getrpcbynumber_r, 7 AND)

SAID(ruserok, "nobody.example", 0, "some", "some")
SAID(ruserok_af, "nobody.example", 0, "some", "some", AF_INET)
SAID(iruserok, 0x01010101, 0, "some", "nobody")
/* The account is there, and its .rhosts is looked for with its owner's rights: libc changes those of all threads. */
SAID(iruserok_af, &here, 0, "some", "some", AF_INET)

static char *nobody = (char[]){"nobody.example"};
SAID(rcmd, &nobody, htons(514), "some", "some", "true", NULL)
SAID(rcmd_af, &nobody, htons(514), "some", "some", "true", NULL, AF_INET)
SAID(rexec, &nobody, htons(512), "some", "some", "true", NULL)
SAID(rexec_af, &nobody, htons(512), "some", "some", "true", NULL, AF_INET)

static void ask_gai_suspend(void)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct gaicb some = {.ar_name = "some.example", .ar_request = &hints}, *list[] = {&some};
	const struct gaicb *const waits[] = {&some};
	const struct timespec long_time = {100, 0};
	check(getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0);
	int r = gai_suspend(waits, 1, &long_time);
	printf("%d ", r == 0 || r == EAI_ALLDONE); /* the answer may have come before */
	printf("%d ", gai_suspend(waits, 1, NULL));
	printf("%d ", gai_error(&some));
	freeaddrinfo(some.ar_result);
}

#define ASK(name)                                                                                                      \
	{                                                                                                              \
#name, ask_##name                                                                                      \
	}
#define ASK_ALL(kind) ASK(set##kind##ent), ASK(get##kind##ent), ASK(get##kind##ent_r), ASK(end##kind##ent)
static const struct question {
	const char *name;
	void (*ask)(void);
} questions[] = {
	ASK_ALL(pw),
	ASK(getpwnam),
	ASK(getpwnam_r),
	ASK(getpwuid),
	ASK(getpwuid_r),
	ASK(getpwnam_none),
	ASK_ALL(gr),
	ASK(getgrnam),
	ASK(getgrnam_r),
	ASK(getgrgid),
	ASK(getgrgid_r),
	ASK_ALL(sp),
	ASK(getspnam),
	ASK(getspnam_r),
	ASK_ALL(sg),
	ASK(getsgnam),
	ASK(getsgnam_r),
	ASK(cuserid),
	ASK(getpw),
	ASK(getgrouplist),
	ASK_ALL(alias),
	ASK(getaliasbyname),
	ASK(getaliasbyname_r),
	ASK(setnetgrent),
	ASK(getnetgrent),
	ASK(getnetgrent_r),
	ASK(innetgr),
	ASK(endnetgrent),
	ASK(getpublickey),
	ASK(getsecretkey),
	ASK(netname2user),
	ASK_ALL(host),
	ASK(gethostbyname),
	ASK(gethostbyname_r),
	ASK(gethostbyname2),
	ASK(gethostbyname2_r),
	ASK(gethostbyaddr),
	ASK(gethostbyaddr_r),
	ASK(gethostbyname_none),
	ASK(gethostid),
	ASK(gai_suspend),
	ASK_ALL(net),
	ASK(getnetbyname),
	ASK(getnetbyname_r),
	ASK(getnetbyaddr),
	ASK(getnetbyaddr_r),
	ASK(ether_hostton),
	ASK(ether_ntohost),
	ASK_ALL(proto),
	ASK(getprotobyname),
	ASK(getprotobyname_r),
	ASK(getprotobynumber),
	ASK(getprotobynumber_r),
	ASK_ALL(serv),
	ASK(getservbyname),
	ASK(getservbyname_r),
	ASK(getservbyport),
	ASK(getservbyport_r),
	ASK_ALL(rpc),
	ASK(getrpcbyname),
	ASK(getrpcbyname_r),
	ASK(getrpcbynumber),
	ASK(getrpcbynumber_r),
	ASK(ruserok),
	ASK(ruserok_af),
	ASK(iruserok),
	ASK(iruserok_af),
	ASK(rcmd),
	ASK(rcmd_af),
	ASK(rexec),
	ASK(rexec_af),
};

static void *ask(void *arg)
{
	static __thread int mine = 7;
	const struct question *q = arg;
	errno = 0;
	q->ask();
	check(mine == 7);
	check(write(source_asked[1], "d", 1) == 1);
	return NULL;
}

/* Whoever asks is let go on, until `threads` have their answers; how often it was asked. */
static int answer(int threads)
{
	int times = 0;
	char byte;
	while (threads > 0) {
		check(read(source_asked[0], &byte, 1) == 1);
		if (byte == 'd') {
			threads--;
			continue;
		}
		times++;
		check(write(source_told[1], "x", 1) == 1);
	}
	return times;
}

/* ---- Several at once ---- */

enum { CROWD = 6 };

static void *ask_among(void *arg)
{
	char name[32], room[1000];
	struct group entry, *e = NULL;
	snprintf(name, sizeof name, "some%ld", (long)arg);
	check(getgrnam_r(name, &entry, room, sizeof room, &e) == 0 && e == &entry && !strcmp(e->gr_name, name));
	check(write(source_asked[1], "d", 1) == 1);
	return NULL;
}

static void crowd(void)
{
	pthread_t t[CROWD];
	char byte;
	for (long i = 0; i < CROWD; i++)
		t[i] = spawn(ask_among, (void *)i);
	/* All of them have asked before one is answered. */
	for (int i = 0; i < CROWD; i++)
		check(read(source_asked[0], &byte, 1) == 1 && byte == 'a');
	for (int i = 0; i < CROWD; i++)
		check(write(source_told[1], "x", 1) == 1);
	check(answer(CROWD) == 0);
	for (int i = 0; i < CROWD; i++)
		join(t[i]);
}

int main(void)
{
	static const char *const databases[] = {"passwd",    "group",    "shadow", "gshadow",  "initgroups",
						"netgroup",  "aliases",  "hosts",  "networks", "ethers",
						"protocols", "services", "rpc",    "publickey"};
	/* libc finds by its name what is loaded already. */
	void *source = dlopen("libtwin_names_sources.so", RTLD_NOW);
	check(source != NULL);
	source_asked = dlsym(source, "source_asked");
	source_told = dlsym(source, "source_told");
	check(pipe(source_asked) == 0 && pipe(source_told) == 0);
	/* As nsswitch.conf would: "passwd: twin", which is libnss_twin.so.2. */
	for (size_t i = 0; i < sizeof databases / sizeof *databases; i++)
		check(__nss_configure_lookup(databases[i], "twin") == 0);
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		printf("%s: ", questions[i].name);
		pthread_t t = spawn(ask, (void *)&questions[i]);
		int times = answer(1);
		join(t);
		printf("asked %d times\n", times);
		check(times > 0 || access("/etc/hostid", F_OK) == 0);
	}
	crowd();
	return 0;
}
