/* huge.h: memory in pieces of one huge page.
 *
 * Why: with thousands of greenlets each one's turn begins with memory that was not touched for milliseconds. On pages of 4 KiB the first touch of
 * each is a walk through page tables that are cold themselves, on a virtual machine through two sets of them. A huge page's
 * translation stays in the processor.
 * Invariant: a piece is aligned to its size, so that whoever holds an address in it finds its beginning by a mask. */
#ifndef GEV_BASE_HUGE_H
#define GEV_BASE_HUGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEV__HUGE ((size_t)2 << 20)

/* A piece, zeroed. `dense`: it will soon be used up, so a huge page is worth asking for (it becomes resident as a whole); else ordinary pages,
 * resident one by one. NULL: no memory. */
void *gev__huge_map(bool dense);
void gev__huge_unmap(void *piece);

static inline void *gev__huge_of(const void *inside)
{
	return (void *)((uintptr_t)inside & ~(uintptr_t)(GEV__HUGE - 1));
}

#endif
