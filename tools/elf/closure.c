/* closure.c: which libraries a program runs with, from those who know: the dynamic linker (ld.so --list), or the kernel's list of mappings.
 *
 * `ld.so --list FILE` loads the file and its libraries as it would for a start, writes their names, and ends before any of their code
 * runs (ld.so(8)). It is the linker that this command itself runs with: a file that asks for another one has been refused before. */
#include "tools/elf/closure.h"

#include <errno.h>
#include <gelf.h>
#include <link.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int add(struct closure *c, const char *path, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->objects[i].path, name) == 0)
			return 0;
	struct object *grown = realloc(c->objects, (c->n + 1) * sizeof *grown);
	if (!grown)
		return -1;
	c->objects = grown;
	object_open(&c->objects[c->n++], path, name);
	return 0;
}

/* The dynamic linker's own file, as PT_INTERP of this command names it. */
static int interpreter(struct dl_phdr_info *info, size_t size, void *result)
{
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_INTERP)
			*(const char **)result = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	return 1; /* the program is the first, and the only one that is looked at */
}

/* Starts `ld.so --list path`. Its output, or NULL. */
static FILE *list(const char *path, pid_t *child)
{
	const char *linker = NULL;
	dl_iterate_phdr(interpreter, &linker);
	int ends[2];
	if (!linker || pipe(ends) != 0)
		return NULL;
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	char *const arguments[] = {(char *)linker, (char *)"--list", (char *)path, NULL};
	int r = posix_spawn(child, linker, &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	FILE *out = r == 0 ? fdopen(ends[0], "r") : NULL;
	if (!out)
		close(ends[0]);
	return out;
}

/* A line is "\tlibx.so.1 => /lib/libx.so.1 (0x...)", or "\t/lib/libx.so.1 (0x...)". Its path, in place; NULL: none in it. */
static char *path_in(char *line)
{
	char *arrow = strstr(line, " => ");
	char *path = arrow ? arrow + 4 : line + strspn(line, "\t ");
	char *end = strstr(path, " (0x");
	if (!end || *path != '/')
		return NULL;
	*end = '\0';
	return path;
}

int closure_of_program(const char *path, struct closure *c, char *why, size_t size)
{
	*c = (struct closure){0};
	*why = '\0';
	add(c, path, path);
	pid_t child = 0;
	/* A program that is started by way of a symbolic link has its $ORIGIN where it lies itself (ld.so(8)); as an argument of the linker's, where the link is. */
	char *real = realpath(path, NULL);
	FILE *out = list(real ? real : path, &child);
	free(real);
	if (!out) {
		snprintf(why, size, "cannot ask the dynamic linker about '%s': %s", path, strerror(errno));
		return -1;
	}
	char *line = NULL;
	size_t room = 0;
	while (getline(&line, &room, out) > 0) {
		line[strcspn(line, "\n")] = '\0';
		static const char failure[] = "error while loading shared libraries: ";
		char *said = strstr(line, failure);
		char *library = path_in(line);
		if (said)
			snprintf(why, size, "'%s' cannot be loaded: %s", path, said + sizeof failure - 1);
		else if (library)
			add(c, library, library);
	}
	free(line);
	fclose(out);
	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!*why && status != 0)
		snprintf(why, size, "the dynamic linker cannot load '%s'", path);
	return *why ? -1 : 0;
}

int closure_of_process(pid_t pid, struct closure *c, char *why, size_t size)
{
	char name[64];
	*c = (struct closure){0};
	snprintf(name, sizeof name, "/proc/%d/maps", (int)pid);
	FILE *maps = fopen(name, "re");
	char *line = NULL;
	size_t room = 0;
	while (maps && getline(&line, &room, maps) > 0) {
		/* proc(5): address permissions offset device inode path; the path starts behind blanks, and may hold some. */
		char permissions[8];
		int at = 0;
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%*s %7s %*s %*s %*s %n", permissions, &at) < 1 || at == 0 ||
		    !strchr(permissions, 'x') || line[at] != '/')
			continue;
		char *path;
		/* By the process's own root: it may live in another tree than we do. */
		if (asprintf(&path, "/proc/%d/root%s", (int)pid, line + at) < 0)
			continue;
		add(c, path, line + at);
		free(path);
	}
	free(line);
	if (!maps || c->n == 0)
		snprintf(why, size, "cannot look at process %d: %s", (int)pid,
			 maps ? "it has no mappings that may be read" : strerror(errno));
	if (maps)
		fclose(maps);
	return c->n ? 0 : -1;
}

void closure_free(struct closure *c)
{
	for (size_t i = 0; i < c->n; i++)
		object_close(&c->objects[i]);
	free(c->objects);
	*c = (struct closure){0};
}

bool closure_is_libcs(const struct closure *c, const struct import *import)
{
	if (import->version)
		return strncmp(import->version, "GLIBC_", 6) == 0;
	for (size_t i = 0; i < c->n; i++)
		if (!c->objects[i].ours && object_exports(&c->objects[i], import->name))
			return c->objects[i].libc;
	return false;
}

bool closure_imports(const struct closure *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct object *o = &c->objects[i];
		if (o->libc || o->ours)
			continue;
		for (size_t k = 0; k < o->n_imports; k++)
			if (strcmp(o->imports[k].name, name) == 0 && closure_is_libcs(c, &o->imports[k]))
				return true;
	}
	return false;
}
