/* Looks a function up in the objects that were loaded after ours, up to libc. It is dlsym(RTLD_NEXT, ...) for the first
 * call of a wrapper, which may be made anywhere: where dlsym is wrong or deadly.
 *
 *   - dlsym takes the loader's lock. A constructor that runs under dlopen and waits for another thread would never end,
 *     if that thread's first read() had to pass through dlsym.
 *   - dlsym forgets the program's last loader error, and the program's dlerror() then says nothing.
 *   - dlsym may call malloc when it fails; a malloc replacement takes a mutex; that mutex may be the call being looked up.
 *   - A signal handler may call write() first, and dlsym is not async-signal-safe.
 *   - Before glibc 2.36 dlsym(RTLD_NEXT) hands out the oldest version of a name (glibc bug 14932).
 *
 * Invariant: only reads, and only objects from ours to libc.so.6. Those were mapped before the program's first
 * instruction and are never unmapped, and the loader appends to its list of objects only behind them. */
#include "shim/base/next.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The linker's own names for our dynamic section (it is how we know ourselves in the list). */
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

/* The parts of a loaded object that a look-up needs. `hash` is NULL where there is no DT_GNU_HASH. */
struct object {
	ElfW(Addr) base;
	const ElfW(Sym) *symbols;
	const char *strings;
	const uint32_t *hash;
	const ElfW(Half) *versions;
	const ElfW(Verdef) *definitions;
	size_t soname;
};

/* The loader relocates the addresses in a dynamic section in place, except where it is read-only (the vDSO's). */
static const void *address(const struct link_map *map, ElfW(Addr) value)
{
	return (const void *)(value < map->l_addr ? value + map->l_addr : value);
}

static struct object open_object(const struct link_map *map)
{
	struct object o = {.base = map->l_addr};
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_SYMTAB:
			o.symbols = address(map, d->d_un.d_ptr);
			break;
		case DT_STRTAB:
			o.strings = address(map, d->d_un.d_ptr);
			break;
		case DT_GNU_HASH:
			o.hash = address(map, d->d_un.d_ptr);
			break;
		case DT_VERSYM:
			o.versions = address(map, d->d_un.d_ptr);
			break;
		case DT_VERDEF:
			o.definitions = address(map, d->d_un.d_ptr);
			break;
		case DT_SONAME:
			o.soname = d->d_un.d_val;
			break;
		default:
			break;
		}
	}
	return o;
}

static bool has_version(const struct object *o, unsigned index, const char *version)
{
	for (const ElfW(Verdef) *d = o->definitions; d != NULL;) {
		const ElfW(Verdaux) *name = (const void *)((const char *)d + d->vd_aux);
		if (d->vd_ndx == index)
			return strcmp(o->strings + name->vda_name, version) == 0;
		d = d->vd_next != 0 ? (const void *)((const char *)d + d->vd_next) : NULL;
	}
	return false;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t h = 5381;
	for (const unsigned char *c = (const unsigned char *)name; *c != '\0'; c++)
		h = h * 33 + *c;
	return h;
}

/* Of the symbols of that type called `name`: the one with that version; else the default one; else a hidden one, because
 * libc keeps some names only for old programs (__pthread_mutex_lock). An IFUNC counts as absent: its value is not the function. */
static const ElfW(Sym) *look_up(const struct object *o, const char *name, uint32_t h, const char *version,
				unsigned type)
{
	const ElfW(Sym) *usual = NULL, *hidden = NULL;
	const uint32_t n_buckets = o->hash[0], first = o->hash[1], n_bloom = o->hash[2], shift = o->hash[3];
	const ElfW(Addr) *bloom = (const void *)(o->hash + 4);
	const uint32_t *buckets = (const void *)(bloom + n_bloom), *chain = buckets + n_buckets;
	const unsigned bits = sizeof *bloom * 8;

	if (n_buckets == 0 ||
	    !(bloom[h / bits % n_bloom] >> h % bits & bloom[h / bits % n_bloom] >> (h >> shift) % bits & 1))
		return NULL;
	uint32_t i = buckets[h % n_buckets];
	if (i < first)
		return NULL;
	for (bool last = false; !last; i++) {
		const ElfW(Sym) *s = &o->symbols[i];
		last = chain[i - first] & 1;
		if ((chain[i - first] | 1) != (h | 1) || s->st_shndx == SHN_UNDEF ||
		    ELF64_ST_TYPE(s->st_info) != type || strcmp(o->strings + s->st_name, name) != 0)
			continue;
		unsigned v = o->versions != NULL ? o->versions[i] : VER_NDX_GLOBAL;
		if (version != NULL && has_version(o, v & 0x7fff, version))
			return s;
		if (v & 0x8000)
			hidden = s;
		else
			usual = s;
	}
	return usual != NULL ? usual : hidden;
}

static bool is_readable(const struct object *o)
{
	return o->symbols != NULL && o->strings != NULL && o->hash != NULL;
}

static bool is_libc(const struct object *o)
{
	return o->strings != NULL && o->soname != 0 && strcmp(o->strings + o->soname, "libc.so.6") == 0;
}

/* From there on, up to libc, whether it has it or not. *libc says whether it is libc's own. */
static void *find_from(const struct link_map *map, const char *name, const char *version, bool *libc)
{
	const uint32_t h = gnu_hash(name);
	*libc = false;
	for (; map != NULL && !*libc; map = map->l_next) {
		struct object o = open_object(map);
		if (!is_readable(&o))
			continue;
		*libc = is_libc(&o);
		const ElfW(Sym) *s = look_up(&o, name, h, version, STT_FUNC);
		if (s != NULL)
			return (void *)(o.base + s->st_value);
	}
	return NULL;
}

static const struct link_map *ours(void)
{
	const struct link_map *map = _r_debug.r_map;
	while (map != NULL && !patch_is_ours(map))
		map = map->l_next;
	return map;
}

static void *find(const char *name, const char *version, bool *libc)
{
	const struct link_map *us = ours();
	return us != NULL ? find_from(us->l_next, name, version, libc) : NULL;
}

void *patch_next(const char *name, const char *version)
{
	bool libc;
	return find(name, version, &libc);
}

bool patch_next_is_anothers(const char *name)
{
	bool libc;
	return find(name, NULL, &libc) != NULL && !libc;
}

void *patch_in(const struct link_map *map, const char *name)
{
	struct object o = open_object(map);
	const ElfW(Sym) *s = is_readable(&o) ? look_up(&o, name, gnu_hash(name), NULL, STT_FUNC) : NULL;
	return s != NULL ? (void *)(o.base + s->st_value) : NULL;
}

static const struct link_map *map_of_libc(void)
{
	for (const struct link_map *map = _r_debug.r_map; map != NULL; map = map->l_next) {
		struct object o = open_object(map);
		if (is_libc(&o))
			return map;
	}
	return NULL;
}

void *patch_in_libc(const char *name)
{
	const struct link_map *map = map_of_libc();
	return map != NULL ? patch_in(map, name) : NULL;
}

ptrdiff_t patch_tls_in_libc(const char *name, uintptr_t *base)
{
	const struct link_map *map = map_of_libc();
	struct object o = map != NULL ? open_object(map) : (struct object){0};
	const ElfW(Sym) *s = is_readable(&o) ? look_up(&o, name, gnu_hash(name), NULL, STT_TLS) : NULL;
	*base = o.base;
	return s != NULL ? (ptrdiff_t)s->st_value : -1;
}

void *patch_exported(const char *name)
{
	const struct link_map *us = ours();
	return us != NULL ? patch_in(us, name) : NULL;
}

bool patch_is_ours(const struct link_map *map)
{
	return map->l_ld == _DYNAMIC;
}

bool patch_exports(const struct link_map *map, const char *name)
{
	return patch_in(map, name) != NULL;
}

bool patch_libc_is_next(const struct link_map *map, const char *name)
{
	bool libc = false;
	for (const struct link_map *m = _r_debug.r_map; m != NULL; m = m->l_next) {
		if (m == map)
			return find_from(m->l_next, name, NULL, &libc) != NULL && libc;
		struct object o = open_object(m);
		if (is_libc(&o))
			break;
	}
	return false;
}
