/* ledger.c: the rows of symbols.def as a sorted table. */
#include "tools/ledger.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shim/base/ledger.h"

static const char *reason(int r)
{
	switch (r) {
#define R(name, sentence)                                                                                              \
	case name:                                                                                                     \
		return sentence;
		PATCH_REASONS(R)
#undef R
	default:
		return NULL;
	}
}

struct row {
	const char *name;
	enum standing standing;
	const char *family;
	const char *why;
	int reason; /* of a PASS row, where `why` is NULL */
	const char *alias_of;
};

#define HOLDS_FOR_ALL "acts on the OS thread, and so on all green threads at once"
#define GREEN(ret, name, params, args, family, version, fixture) {#name, STANDS_COOPERATIVE, #family, NULL, 0, NULL},
#define SHARED(ret, name, params, args, family, version, fixture) {#name, STANDS_OPEN, #family, HOLDS_FOR_ALL, 0, NULL},
#define REAL(ret, name, params, args, version)
#define ALIAS(alias, name) {#alias, STANDS_COOPERATIVE, NULL, NULL, 0, #name},
#define PASS(name, family, reason) {#name, STANDS_HARMLESS, #family, NULL, reason, NULL},
#define LATER(name, family, why) {#name, STANDS_OPEN, #family, why, 0, NULL},
#define FORMAT(ret, name, params, last, call, fixture) {#name, STANDS_COOPERATIVE, "stdio", NULL, 0, NULL},
#define WITHIN(name, fixture) {#name, STANDS_COOPERATIVE, "stdio", NULL, 0, NULL},
static const struct row rows[] = {
#include "shim/base/symbols.def"
};

enum { N_ROWS = sizeof rows / sizeof *rows };

static struct entry entries[N_ROWS];

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void fill(void)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *r = &rows[i];
		const char *why = r->standing == STANDS_HARMLESS ? reason(r->reason) : r->why;
		entries[i] = (struct entry){r->name, r->standing, r->family, why};
		for (size_t k = 0; r->alias_of && k < N_ROWS; k++)
			if (strcmp(rows[k].name, r->alias_of) == 0)
				entries[i].family = rows[k].family;
	}
	qsort(entries, N_ROWS, sizeof *entries, by_name);
}

const struct entry *ledger_find(const char *name)
{
	static bool filled;
	if (!filled)
		fill();
	filled = true;
	struct entry wanted = {.name = name};
	return bsearch(&wanted, entries, N_ROWS, sizeof *entries, by_name);
}

const char *standing_name(enum standing s)
{
	static const char *const names[] = {"cooperative", "harmless", "not covered"};
	return names[s];
}
