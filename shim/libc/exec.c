/* exec*, posix_spawn*, popen: what another program inherits, if it is one that is not patched.
 *
 * A listening socket may have an O_NONBLOCK of ours (fds/flags.c), which a patched program knows and hides, and another does not: its accept would
 * fail. So before such a program begins, the sockets that it inherits are given back: they block again, and a mark says that
 * they are to stay so. Whoever shares them waits for them in another way from then on (accept.c).
 *
 * Between fork and exec only what is async-signal-safe may be done: no memory is asked for here. And none of these calls is a cancellation point, so
 * the files are looked at past libc's. */
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <paths.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shim/base/patch.h"
#include "shim/fds/fds.h"
#include "shim/libc/exec.h"
#include "shim/libc/kernel.h"
#include "shim/libc/listing.h"

/* ---- Will it be patched? ---- */

enum { HEAD = 2048, INTERPRETERS = 4, LOOK = O_RDONLY | O_CLOEXEC | O_NONBLOCK };

static int look_at(int dir, const char *path)
{
	long fd = kernel_call6(SYS_openat, dir, (long)path, LOOK, 0, 0, 0);
	return fd < 0 ? -1 : (int)fd;
}

static void leave(int fd)
{
	kernel_call6(SYS_close, fd, 0, 0, 0, 0, 0);
}

static bool preloads(char *const *environment)
{
	static const char name[] = "LD_PRELOAD=";
	for (char *const *e = environment; e && *e; e++)
		if (strncmp(*e, name, sizeof name - 1) == 0)
			return strstr(*e, "libpatch.so") != NULL;
	return false;
}

/* Whether the dynamic linker begins it. A head that says too little: it does. */
static bool is_dynamic(const char *head, size_t n)
{
	const ElfW(Ehdr) *elf = (const void *)head;
	if (n < sizeof *elf)
		return true;
	if (elf->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
		return false;
	for (size_t i = 0; i < elf->e_phnum; i++) {
		size_t at = elf->e_phoff + i * sizeof(ElfW(Phdr));
		if (at + sizeof(ElfW(Phdr)) > n)
			return true;
		const ElfW(Phdr) *p = (const void *)(head + at);
		if (p->p_type == PT_INTERP)
			return true;
	}
	return false;
}

/* execve(2): "#! interpreter argument". The name is cut out of the head. */
static const char *interpreter(char *head)
{
	char *name = head + 2 + strspn(head + 2, " \t");
	name[strcspn(name, " \t\n")] = '\0';
	return name;
}

/* The dynamic linker takes no LD_PRELOAD from a file with set-user-ID (ld.so(8)). What cannot be looked at is thought to be patched, as nearly all are. */
static bool takes_preloads(int fd)
{
	_Alignas(8) char head[HEAD + 1];
	bool yes = true;
	for (int i = 0; fd >= 0 && i < INTERPRETERS; i++) {
		struct stat st;
		ssize_t n = kernel_call6(SYS_pread64, fd, (long)head, HEAD, 0, 0, 0);
		bool set_id = fstat(fd, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID));
		leave(fd);
		fd = -1;
		if (n < 4)
			break;
		head[n] = '\0';
		if (memcmp(head, ELFMAG, SELFMAG) == 0)
			yes = !set_id && is_dynamic(head, (size_t)n);
		else if (head[0] == '#' && head[1] == '!')
			fd = look_at(AT_FDCWD, interpreter(head));
	}
	if (fd >= 0)
		leave(fd);
	return yes;
}

/* As execvp looks for it (exec(3)). */
static int open_in_path(const char *file)
{
	char path[PATH_MAX];
	const char *list = getenv("PATH");
	size_t size = strlen(file);
	if (strchr(file, '/'))
		return look_at(AT_FDCWD, file);
	for (const char *at = list ? list : "/bin:/usr/bin";; at++) {
		size_t n = strcspn(at, ":");
		if (n + size + 2 <= sizeof path) {
			memcpy(path, at, n);
			path[n] = '/';
			memcpy(path + (n > 0 ? n + 1 : 0), file, size + 1);
			int fd = access(path, X_OK) == 0 ? look_at(AT_FDCWD, path) : -1;
			if (fd >= 0)
				return fd;
		}
		at += n;
		if (*at == '\0')
			return -1;
	}
}

static bool is_patched(int fd, char *const *environment)
{
	if (preloads(environment))
		return takes_preloads(fd);
	if (fd >= 0)
		leave(fd);
	return false;
}

/* ---- What it inherits ---- */

/* Those that were given back, for the case that nobody begins after all. */
enum { REMEMBERED = 32 };
struct given {
	int n;
	int fds[REMEMBERED];
};

static void give_one(int fd, void *arg)
{
	struct given *g = arg;
	if (!fds_marked(fd) || (real.fcntl(fd, F_GETFD, 0) & FD_CLOEXEC))
		return;
	fds_give(fd);
	if (g->n < REMEMBERED)
		g->fds[g->n++] = fd;
}

/* fd is the program's file, and closed here; -1: nobody knows. */
static void give_back(struct given *g, int fd, char *const *environment)
{
	enum { MOST = 1 << 20 };
	int saved = errno;
	g->n = 0;
	/* All that is open, of whatever number: a mark may be a parent's, of which nothing is known here. */
	if (!is_patched(fd, environment) && !each_open(give_one, g)) {
		long limit = sysconf(_SC_OPEN_MAX);
		for (int i = 0; i < (limit > 0 && limit < MOST ? limit : MOST); i++)
			give_one(i, g);
	}
	errno = saved;
}

static void take_again(const struct given *g)
{
	int saved = errno;
	for (int i = 0; i < g->n; i++)
		fds_take_again(g->fds[i]);
	errno = saved;
}

/* ---- exec ---- */

int patch_execve(const char *path, char *const argv[], char *const envp[])
{
	struct given g;
	give_back(&g, look_at(AT_FDCWD, path), envp);
	int r = real.execve(path, argv, envp);
	take_again(&g);
	return r;
}
EXPORT(execve);

int patch_execv(const char *path, char *const argv[])
{
	return patch_execve(path, argv, environ);
}
EXPORT(execv);

int patch_execvpe(const char *file, char *const argv[], char *const envp[])
{
	struct given g;
	give_back(&g, open_in_path(file), envp);
	int r = real.execvpe(file, argv, envp);
	take_again(&g);
	return r;
}
EXPORT(execvpe);

int patch_execvp(const char *file, char *const argv[])
{
	return patch_execvpe(file, argv, environ);
}
EXPORT(execvp);

int patch_fexecve(int fd, char *const argv[], char *const envp[])
{
	struct given g;
	give_back(&g, real.fcntl(fd, F_DUPFD_CLOEXEC, 0), envp);
	int r = real.fexecve(fd, argv, envp);
	take_again(&g);
	return r;
}
EXPORT(fexecve);

int patch_execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
	struct given g;
	bool itself = (flags & AT_EMPTY_PATH) && path && *path == '\0';
	give_back(&g, itself ? real.fcntl(dir, F_DUPFD_CLOEXEC, 0) : look_at(dir, path), envp);
	int r = real.execveat(dir, path, argv, envp, flags);
	take_again(&g);
	return r;
}
EXPORT(execveat);

/* The arguments up to the NULL, on the stack as libc has them. `last` is the list's first. */
#define ARGUMENTS(first, ap)                                                                                           \
	va_list count;                                                                                                 \
	size_t n = 1;                                                                                                  \
	va_start(ap, first);                                                                                           \
	va_copy(count, ap);                                                                                            \
	while (first && va_arg(count, char *))                                                                         \
		n++;                                                                                                   \
	va_end(count);                                                                                                 \
	char *argv[n + 1];                                                                                             \
	argv[0] = (char *)first;                                                                                       \
	for (size_t i = 1; i <= n; i++)                                                                                \
	argv[i] = first ? va_arg(ap, char *) : NULL

int patch_execl(const char *path, const char *first, ...)
{
	va_list ap;
	ARGUMENTS(first, ap);
	va_end(ap);
	return patch_execv(path, argv);
}
EXPORT(execl);

int patch_execle(const char *path, const char *first, ...)
{
	va_list ap;
	ARGUMENTS(first, ap);
	char *const *envp = va_arg(ap, char *const *);
	va_end(ap);
	return patch_execve(path, argv, envp);
}
EXPORT(execle);

int patch_execlp(const char *file, const char *first, ...)
{
	va_list ap;
	ARGUMENTS(first, ap);
	va_end(ap);
	return patch_execvp(file, argv);
}
EXPORT(execlp);

/* ---- Those that fork inside libc ---- */

int patch_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	struct given g;
	give_back(&g, look_at(AT_FDCWD, path), envp);
	int r = real.posix_spawn(pid, path, actions, attr, argv, envp);
	if (r)
		take_again(&g);
	return r;
}
EXPORT(posix_spawn);

int patch_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	struct given g;
	give_back(&g, open_in_path(file), envp);
	int r = real.posix_spawnp(pid, file, actions, attr, argv, envp);
	if (r)
		take_again(&g);
	return r;
}
EXPORT(posix_spawnp);

void exec_shell_begins(void)
{
	struct given g;
	give_back(&g, look_at(AT_FDCWD, _PATH_BSHELL), environ);
}

FILE *patch_popen(const char *command, const char *mode)
{
	exec_shell_begins();
	return real.popen(command, mode);
}
EXPORT(popen);
EXPORT_AS(_IO_popen, popen);
