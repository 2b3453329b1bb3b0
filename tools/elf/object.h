/* object.h: what an ELF file asks of others and gives to them: the dynamic symbols, as libelf reads them. */
#ifndef TOOLS_ELF_OBJECT_H
#define TOOLS_ELF_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

struct import {
	const char *name;
	const char *version; /* the version that it asks for, as GLIBC_2.34; NULL: none */
};

struct object {
	char *path;
	char *soname;           /* DT_SONAME, or the last part of the path */
	struct import *imports; /* its undefined functions */
	size_t n_imports;
	const char **exports; /* its defined names, sorted */
	size_t n_exports;
	bool read;  /* false: it could not be, and everything above but path and soname is empty */
	bool libc;  /* libc itself and the parts of it that have files of their own, the dynamic linker among them */
	bool ours;  /* libpatch.so or libgev.so */
	void *kept; /* what the names lie in */
	int fd;
};

/* Reads the file. `name` is what its path is said to be: for a process in another file system tree it differs from where it is read. */
void object_open(struct object *o, const char *path, const char *name);
void object_close(struct object *o);

bool object_exports(const struct object *o, const char *name);

#endif
