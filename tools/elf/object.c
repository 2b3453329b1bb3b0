/* object.c: the dynamic symbols of one ELF file.
 *
 * Read by sections: SHT_DYNSYM, SHT_GNU_versym, SHT_GNU_verneed, SHT_DYNAMIC. A file without section headers counts as unreadable, and
 * whoever asks says so. Names point into libelf's own memory, which lives as long as the object. */
#include "tools/elf/object.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sections {
	Elf_Scn *symbols;
	Elf_Scn *versions;
	Elf_Scn *needs;
	Elf_Scn *dynamic;
};

static struct sections find_sections(Elf *elf)
{
	struct sections s = {0};
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header))
			continue;
		switch (header.sh_type) {
		case SHT_DYNSYM:
			s.symbols = section;
			break;
		case SHT_GNU_versym:
			s.versions = section;
			break;
		case SHT_GNU_verneed:
			s.needs = section;
			break;
		case SHT_DYNAMIC:
			s.dynamic = section;
			break;
		default:
			break;
		}
	}
	return s;
}

static size_t link_of(Elf_Scn *section)
{
	GElf_Shdr header;
	return gelf_getshdr(section, &header) ? header.sh_link : 0;
}

static size_t entries(Elf_Scn *section)
{
	GElf_Shdr header;
	return gelf_getshdr(section, &header) && header.sh_entsize ? header.sh_size / header.sh_entsize : 0;
}

/* The name of the version with that index which the file asks of another; NULL: none. */
static const char *needed_version(Elf *elf, Elf_Scn *needs, unsigned index)
{
	Elf_Data *data = needs ? elf_getdata(needs, NULL) : NULL;
	GElf_Verneed file;
	for (int at = 0; data && gelf_getverneed(data, at, &file); at += (int)file.vn_next) {
		GElf_Vernaux version;
		int inner = at + (int)file.vn_aux;
		for (int i = 0; i < file.vn_cnt && gelf_getvernaux(data, inner, &version); i++) {
			if (version.vna_other == index)
				return elf_strptr(elf, link_of(needs), version.vna_name);
			inner += (int)version.vna_next;
		}
		if (file.vn_next == 0)
			break;
	}
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool may_be_function(const GElf_Sym *symbol)
{
	int type = GELF_ST_TYPE(symbol->st_info);
	return type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC;
}

static void read_symbols(struct object *o, Elf *elf, const struct sections *s)
{
	Elf_Data *data = s->symbols ? elf_getdata(s->symbols, NULL) : NULL;
	size_t n = data ? entries(s->symbols) : 0, strings = n ? link_of(s->symbols) : 0;
	Elf_Data *versions = s->versions ? elf_getdata(s->versions, NULL) : NULL;
	o->imports = calloc(n + 1, sizeof *o->imports);
	o->exports = calloc(n + 1, sizeof *o->exports);
	if (!o->imports || !o->exports)
		return;
	for (size_t i = 1; i < n; i++) {
		GElf_Sym symbol;
		if (!gelf_getsym(data, (int)i, &symbol) || !may_be_function(&symbol))
			continue;
		const char *name = elf_strptr(elf, strings, symbol.st_name);
		if (!name || !*name)
			continue;
		if (symbol.st_shndx != SHN_UNDEF) {
			o->exports[o->n_exports++] = name;
			continue;
		}
		GElf_Versym version = VER_NDX_GLOBAL;
		if (versions)
			gelf_getversym(versions, (int)i, &version);
		o->imports[o->n_imports++] =
			(struct import){.name = name, .version = needed_version(elf, s->needs, version & 0x7fff)};
	}
	qsort(o->exports, o->n_exports, sizeof *o->exports, by_name);
	o->read = true;
}

static void read_soname(struct object *o, Elf *elf, const struct sections *s)
{
	Elf_Data *data = s->dynamic ? elf_getdata(s->dynamic, NULL) : NULL;
	GElf_Dyn entry;
	for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		const char *name =
			entry.d_tag == DT_SONAME ? elf_strptr(elf, link_of(s->dynamic), entry.d_un.d_val) : NULL;
		if (name) {
			free(o->soname);
			o->soname = strdup(name);
			return;
		}
	}
}

/* The files of glibc 2.34 and newer, and its dynamic linkers. */
static bool is_libc(const char *soname)
{
	static const char *const files[] = {
		"libc.so.6",      "libm.so.6",         "libmvec.so.1",         "libpthread.so.0",
		"libdl.so.2",     "librt.so.1",        "libresolv.so.2",       "libutil.so.1",
		"libanl.so.1",    "libthread_db.so.1", "libBrokenLocale.so.1", "libnss_*.so.2",
		"ld-linux*.so.*", "ld64.so.*",         "linux-vdso.so.1",      "libc_malloc_debug.so.0",
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (fnmatch(files[i], soname, 0) == 0)
			return true;
	return false;
}

static bool is_ours(const char *soname)
{
	return strcmp(soname, "libpatch.so") == 0 || strncmp(soname, "libgev.so", 9) == 0;
}

void object_open(struct object *o, const char *path, const char *name)
{
	const char *slash = strrchr(name, '/');
	*o = (struct object){.path = strdup(name), .soname = strdup(slash ? slash + 1 : name)};
	o->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (o->fd >= 0) {
		elf_version(EV_CURRENT);
		Elf *elf = elf_begin(o->fd, ELF_C_READ_MMAP, NULL);
		if (elf && elf_kind(elf) == ELF_K_ELF) {
			struct sections s = find_sections(elf);
			read_soname(o, elf, &s);
			if (s.symbols)
				read_symbols(o, elf, &s);
		}
		o->kept = elf;
	}
	o->libc = is_libc(o->soname);
	o->ours = is_ours(o->soname);
}

void object_close(struct object *o)
{
	elf_end(o->kept);
	if (o->fd >= 0)
		close(o->fd);
	free(o->imports);
	free(o->exports);
	free(o->path);
	free(o->soname);
}

bool object_exports(const struct object *o, const char *name)
{
	return o->n_exports && bsearch(&name, o->exports, o->n_exports, sizeof *o->exports, by_name) != NULL;
}
