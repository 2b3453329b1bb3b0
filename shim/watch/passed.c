/* Counting what passes through.
 *
 * Of the rows of LATER only the names are known, not the parameters. So a call is counted by a few instructions (passed-x86_64.c) that keep every register
 * that may carry an argument and then jump on. */
#include "shim/watch/passed.h"

#include <stdlib.h>
#include <string.h>

#include "shim/base/patch.h"
#include "shim/watch/passed-stub.h"
#include "shim/watch/relink.h"

#define GREEN(ret, name, params, args, family, version, fixture)
#define REAL(ret, name, params, args, version)
#define ALIAS(alias, name)
#define PASS(name, family, reason)

#define LATER(name, family, why) LATER_##name,
enum {
#include "shim/base/symbols.def"
	N
};
#undef LATER
_Static_assert((int)N <= (int)PATCH_STUBS, "a stub for each");

/* One behind the other, in that order: a table of addresses would be relocated in every process that libpatch is loaded into. */
#define LATER(name, family, why) #name "\0"
static const char names[] =
#include "shim/base/symbols.def"
	;

static void *originals[N];
static uint64_t counts[N];

void *patch_passed_count(unsigned index)
{
	if (patch_started && patch_gev->ready_count() > 0)
		__atomic_fetch_add(&counts[index], 1, __ATOMIC_RELAXED);
	return originals[index];
}

static void *choose(const char *name, void *bound)
{
	const char *at = names;
	for (unsigned i = 0; i < N; i++, at += strlen(at) + 1) {
		if (strcmp(at, name) != 0)
			continue;
		void *stub = patch_passed_stub(i);
		if (stub == NULL || bound == stub)
			return NULL;
		/* Another version of the same name, or somebody else's function: only one of them can be counted. */
		if (originals[i] && originals[i] != bound)
			return NULL;
		originals[i] = bound;
		return stub;
	}
	return NULL;
}

static bool wanted(void)
{
	/* Obeyed by libgev (options.def), which may not be loaded yet; a wrong value costs a few instructions. */
	const char *stats = secure_getenv("GEV_STATS");
	return stats && *stats && *stats != '0';
}

void patch_passed(void)
{
	if (wanted())
		patch_relink(choose);
}

void patch_passed_begin(void)
{
	static struct gev_watch_count list[N];
	if (!wanted())
		return;
	const char *at = names;
	for (unsigned i = 0; i < N; i++, at += strlen(at) + 1)
		list[i] = (struct gev_watch_count){.name = at, .calls = &counts[i]};
	patch_gev->watch_counts(list, N);
}
