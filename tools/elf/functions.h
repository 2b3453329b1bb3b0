/* functions.h: where the functions of an ELF file begin, and what they are called. */
#ifndef TOOLS_ELF_FUNCTIONS_H
#define TOOLS_ELF_FUNCTIONS_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct function {
	uint64_t start;
	uint64_t size;    /* 0: not known */
	const char *name; /* NULL: not known */
};

/* Sorted by start; one function may be there twice, by its frame and by its name. */
struct functions {
	struct function *list;
	size_t n;
};

void functions_read(struct functions *f, Elf *elf);
void functions_free(struct functions *f);

/* The last known beginning at or before the address; the address itself when there is none. */
uint64_t functions_start(const struct functions *f, uint64_t address);

/* Whether a function is known that holds the address: what lies in none may be data. */
bool functions_hold(const struct functions *f, uint64_t address);

/* The name of the function that holds the address; NULL: not known. */
const char *functions_name(const struct functions *f, uint64_t address);

#endif
