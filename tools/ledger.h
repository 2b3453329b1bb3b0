/* ledger.h: what libpatch.so makes of each function of libc, compiled in from symbols.def. */
#ifndef TOOLS_LEDGER_H
#define TOOLS_LEDGER_H

enum standing { STANDS_COOPERATIVE, STANDS_HARMLESS, STANDS_OPEN };

struct entry {
	const char *name;
	enum standing standing;
	const char *family;
	const char *why; /* a sentence: why it is harmless, or what happens; NULL where it is cooperative */
};

/* NULL: it is not in the ledger, so it computes. */
const struct entry *ledger_find(const char *name);

/* "cooperative", "harmless", "not covered" */
const char *standing_name(enum standing s);

#endif
