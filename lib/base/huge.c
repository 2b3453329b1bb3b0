/* Pieces out of mmap. The kernel places mappings of this size at multiples of it by itself since 6.7 (mm/huge_memory.c, thp_get_unmapped_area), so
 * the first try usually fits; else the ends of a bigger one are cut off. */
#include "lib/base/huge.h"

#include <sys/mman.h>

#include "lib/base/sys.h"

static char *map(size_t size)
{
	void *p = gev__sys.mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static char *map_aligned(void)
{
	char *p = map(GEV__HUGE);
	if (p == NULL || gev__huge_of(p) == p)
		return p;
	gev__sys.munmap(p, GEV__HUGE);
	p = map(2 * GEV__HUGE);
	if (p == NULL)
		return NULL;
	char *at = gev__huge_of(p + GEV__HUGE - 1);
	if (at > p)
		gev__sys.munmap(p, (size_t)(at - p));
	size_t after = (size_t)(p + GEV__HUGE - at);
	if (after > 0)
		gev__sys.munmap(at + GEV__HUGE, after);
	return at;
}

void *gev__huge_map(bool dense)
{
	char *p = map_aligned();
	/* EINVAL: a kernel built without huge pages. Where they are switched off, the advice does nothing. */
	if (p)
		gev__sys.madvise(p, GEV__HUGE, dense ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return p;
}

void gev__huge_unmap(void *piece)
{
	gev__sys.munmap(piece, GEV__HUGE);
}
