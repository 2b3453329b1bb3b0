/* fit.c: refuses, with the reason, what no preload can reach, where it would otherwise silently run unpatched.
 *
 * The facts are those of ld.so(8) and execve(2): the kernel starts the dynamic linker that PT_INTERP names; without one nobody
 * reads LD_PRELOAD. In secure-execution mode (set-user-ID, set-group-ID, file capabilities) names with a slash in it are ignored.
 * The measure of what fits is this command itself: same class, same machine, same dynamic linker as libpatch.so has. */
#include "tools/elf/fit.h"

#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tools/elf/search.h"

/* What of a file decides whether a preload reaches it. */
struct program {
	bool elf;
	int class;
	int data;
	int machine;
	char linker[256]; /* the name in PT_INTERP; empty: statically linked */
	bool go;
};

static void read_linker(Elf *elf, int fd, struct program *p)
{
	size_t n;
	if (elf_getphdrnum(elf, &n) != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr header;
		if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_INTERP)
			continue;
		size_t want = header.p_filesz < sizeof p->linker ? header.p_filesz : sizeof p->linker - 1;
		ssize_t got = pread(fd, p->linker, want, (off_t)header.p_offset);
		p->linker[got > 0 ? got : 0] = '\0';
		return;
	}
}

/* Go's linker leaves this section in everything that it makes (Go's cmd/link, data.go), stripped or not. */
static bool made_by_go(Elf *elf)
{
	size_t names;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return false;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
		if (name && strcmp(name, ".go.buildinfo") == 0)
			return true;
	}
	return false;
}

static void read_program(int fd, struct program *p)
{
	memset(p, 0, sizeof *p);
	elf_version(EV_CURRENT);
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	GElf_Ehdr header;
	if (elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header)) {
		p->elf = true;
		p->class = header.e_ident[EI_CLASS];
		p->data = header.e_ident[EI_DATA];
		p->machine = header.e_machine;
		read_linker(elf, fd, p);
		p->go = made_by_go(elf);
	}
	elf_end(elf);
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* Whether executing the file changes who the process is, as the kernel sees it: then the linker is in secure mode. */
static const char *changes_user(int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return NULL;
	if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
		return "set-user-ID";
	/* Without group execution the bit means mandatory locking, not another group. */
	if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getgid())
		return "set-group-ID";
	/* Root gains nothing by them, so for root the linker stays in its normal mode. */
	if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return "has file capabilities";
	return NULL;
}

static bool check_elf(int fd, const struct program *p, const char *path, char *why, size_t size)
{
	struct program self;
	int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return true;
	read_program(own, &self);
	close(own);

	const char *changes = changes_user(fd);
	if (p->class != self.class || p->data != self.data || p->machine != self.machine)
		snprintf(why, size, "'%s' is built for another architecture or word size than libpatch.so", path);
	else if (p->go)
		snprintf(why, size,
			 "'%s' is a Go program: its runtime makes threads and waits by system calls of its own", path);
	else if (!*p->linker)
		snprintf(why, size, "'%s' is statically linked: it has no dynamic linker that would load libpatch.so",
			 path);
	else if (strcmp(base(p->linker), base(self.linker)) != 0)
		snprintf(why, size, "'%s' uses another C library than libpatch.so: its dynamic linker is %s", path,
			 p->linker);
	else if (changes)
		snprintf(why, size, "'%s' is %s: the dynamic linker ignores LD_PRELOAD for it", path, changes);
	else
		return true;
	return false;
}

/* The program that the first line names, for the caller to free; NULL when it names none. execve(2): blanks may follow the `#!`, and the
 * name ends at the next blank. env(1) is a way to say "by PATH": the program is the one that it will start, if that is plain to see. */
static char *interpreter(char *line)
{
	if (line[0] != '#' || line[1] != '!')
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	char *rest;
	char *name = strtok_r(line + 2, " \t", &rest);
	char *argument = name ? strtok_r(NULL, " \t", &rest) : NULL;
	if (argument && strcmp(base(name), "env") == 0 && argument[0] != '-' && !strchr(argument, '=')) {
		char *found = search(argument);
		if (found)
			return found;
	}
	return name ? strdup(name) : NULL;
}

bool fit(const char *path, char **binary, char *why, size_t size)
{
	char line[256]; /* BINPRM_BUF_SIZE of the kernel */
	char next[PATH_MAX];
	*binary = NULL;
	/* The kernel follows four interpreters and then fails with ELOOP: that one is its own to say. */
	for (int depth = 0; depth < 5; depth++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return true;
		struct stat st;
		if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
			close(fd);
			return true;
		}
		struct program p;
		read_program(fd, &p);
		if (p.elf) {
			bool fits = check_elf(fd, &p, path, why, size);
			close(fd);
			if (fits)
				*binary = strdup(path);
			return fits;
		}
		ssize_t n = pread(fd, line, sizeof line - 1, 0);
		close(fd);
		line[n > 0 ? n : 0] = '\0';
		/* No #! either: execvp(3) gives it to the shell. */
		char *name = interpreter(line);
		snprintf(next, sizeof next, "%s", name ? name : "/bin/sh");
		free(name);
		path = next;
	}
	return true;
}
