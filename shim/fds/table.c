/* From a descriptor's number to its record.
 *
 * Two levels: a page of indices is mapped when a number in it is first learnt, so that a limit of a million
 * descriptors costs nothing until they are used. Invariant: refs of a record = rows that hold its index (+ 1 while
 * its maker has not yet published it). */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "gev/embed.h"
#include "shim/base/patch.h"
#include "shim/fds/fds.h"

enum { PAGE_BITS = FDS_PAGE_BITS, PAGE = FDS_PAGE, PAGES = FDS_PAGES };

uint32_t *fds__pages[PAGES];
uint32_t fds__epoch;
bool fds_lingering;

/* As fds__row; the page is made if need be. NULL: no memory, or beyond the table. */
static uint32_t *row_made(int fd)
{
	uint32_t *page = NULL;
	if ((unsigned)fd >= (unsigned)PAGE * PAGES || fds__row(fd))
		return fds__row(fd);
	int saved = errno;
	void *fresh = mmap(NULL, PAGE * sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	errno = saved;
	if (fresh == MAP_FAILED)
		return NULL;
	if (!__atomic_compare_exchange_n(&fds__pages[fd >> PAGE_BITS], &page, fresh, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		munmap(fresh, PAGE * sizeof *page); /* another thread was faster */
	return fds__row(fd);
}

static void unref(struct description *d)
{
	if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) == 0)
		fds__free(d);
}

static void put(uint32_t *r, struct description *d)
{
	uint32_t old = __atomic_exchange_n(r, d ? d->index : 0, __ATOMIC_ACQ_REL);
	if (old)
		unref(fds__at(old));
}

/* Learns fd for the first time; another thread may have been faster. */
static struct description *learn_first(int fd)
{
	uint32_t *r = row_made(fd), none = 0;
	struct description *d = r ? fds__alloc() : NULL;
	if (d == NULL)
		return NULL;
	d->foreign = true;
	d->epoch = __atomic_load_n(&fds__epoch, __ATOMIC_ACQUIRE);
	if (fds_learn(fd, d) < 0) {
		unref(d);
		return NULL;
	}
	if (!__atomic_compare_exchange_n(r, &none, d->index, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		unref(d);
		return fds__at(none);
	}
	return d;
}

struct description *fds__learn_now(int fd, struct description *d)
{
	int saved = errno;
	if (d == NULL) {
		d = learn_first(fd);
	} else {
		d->epoch = __atomic_load_n(&fds__epoch, __ATOMIC_ACQUIRE);
		d = fds_learn(fd, d) < 0 ? NULL : d;
	}
	errno = saved;
	return d;
}

void fds_changed(struct description *d)
{
	/* Twins made by dup before the runtime started were learnt apart. Only what was found can have such twins. */
	if (d->foreign)
		d->epoch = __atomic_add_fetch(&fds__epoch, 1, __ATOMIC_ACQ_REL);
}

struct description *fds_made(int fd, enum fd_kind kind, bool wish)
{
	uint32_t *r = row_made(fd);
	struct description *d = r ? fds__alloc() : NULL;
	if (d == NULL) {
		fds_forget(fd);
		return NULL;
	}
	d->kind = (uint8_t)kind;
	d->wish = wish;
	d->low = 1;
	d->receive_timeout = d->send_timeout = GEV_NEVER;
	put(r, d);
	return d;
}

void fds_dup(int from, int to)
{
	struct description *d = fds_get(from);
	uint32_t *r = d ? row_made(to) : NULL;
	if (r == NULL) {
		fds_forget(to);
		return;
	}
	/* Another OS thread may be closing `from` just now: from zero there is no way back. */
	uint32_t refs = __atomic_load_n(&d->refs, __ATOMIC_RELAXED);
	do {
		if (refs == 0) {
			fds_forget(to);
			return;
		}
	} while (!__atomic_compare_exchange_n(&d->refs, &refs, refs + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	put(r, d);
}

void fds_forget(int fd)
{
	uint32_t *r = fds__row(fd);
	if (r && __atomic_load_n(r, __ATOMIC_RELAXED))
		put(r, NULL);
}

void fds_forget_range(unsigned first, unsigned last)
{
	if (last >= (unsigned)PAGE * PAGES)
		last = (unsigned)PAGE * PAGES - 1;
	for (unsigned fd = first; fd <= last; fd++) {
		if (__atomic_load_n(&fds__pages[fd >> PAGE_BITS], __ATOMIC_ACQUIRE) == NULL)
			fd |= PAGE - 1;
		else
			fds_forget((int)fd);
	}
}

int fds_next(unsigned first, unsigned last, bool (*is_so)(const struct description *d))
{
	if (last >= (unsigned)PAGE * PAGES)
		last = (unsigned)PAGE * PAGES - 1;
	for (unsigned fd = first; fd <= last; fd++) {
		const struct description *d = fds_peek((int)fd);
		if (d && is_so(d))
			return (int)fd;
		if (__atomic_load_n(&fds__pages[fd >> FDS_PAGE_BITS], __ATOMIC_ACQUIRE) == NULL)
			fd |= PAGE - 1;
	}
	return -1;
}
