/* identity-glibc.h: what glibc publishes about struct pthread and about its loader, gathered once.
 *
 * Everything comes from symbols that glibc exports for debuggers (nptl_db/structs.def: _thread_db_*, each three words: size in bits, count,
 * offset) or for its own libraries (GLIBC_PRIVATE). None is a constant of ours: another version has other offsets. */
#ifndef GEV_CONTEXT_IDENTITY_GLIBC_H
#define GEV_CONTEXT_IDENTITY_GLIBC_H

#include <stddef.h>
#include <stdint.h>

struct gev__list_node {
	struct gev__list_node *next;
	struct gev__list_node *prev;
};

/* What pthread_setspecific keeps: see identity-end.c. */
struct gev__keys {
	const char *keys; /* NULL: not known */
	uint32_t key_stride;
	uint32_t destructor; /* in a key's entry */
	uint32_t value_stride;
	uint32_t value; /* in a value's entry */
	uint32_t blocks;
	uint32_t block_values;  /* how many are in a block */
	ptrdiff_t first_values; /* of the first block */
	uint32_t
		shared; /* keys of the first block, a bit each: AddressSanitizer's, of which all identities have the OS thread's value */
};

struct gev__glibc {
	void *(*allocate_tls)(void *memory);
	void (*deallocate_tls)(void *tcb, _Bool free_tcb);
	void (*ctype_init)(void);
	void (*call_tls_dtors)(void); /* NULL: not there */
	size_t sizeof_pthread;        /* the offsets that follow are from its beginning, unless they say otherwise */
	size_t static_size; /* of one thread's static TLS, on x86-64 with struct pthread; 0: this libc does not say */
	size_t static_align;
	size_t tid_offset;
	size_t list_offset;
	size_t specific_offset; /* of the array of pointers to blocks of pthread_setspecific's values */
	struct gev__keys keys;
	struct gev__list_node *stack_user; /* the loader's list of stacks that are not its own */
	ptrdiff_t robust_offset;           /* of struct robust_list_head */
	long robust_futex_offset;
	ptrdiff_t rseq_offset; /* from the thread pointer; 0: this libc has none */
	size_t rseq_size;
	/* libc's own TLS block, relative to the thread pointer. */
	ptrdiff_t tls_offset;
	size_t tls_size;
};

/* How a symbol of libc's is found. Tests make it find less. */
extern void *(*gev__glibc_symbol)(const char *name);

/* identity-end.c: gev__identity_end. */
void gev__identity_destroy(const struct gev__glibc *glibc);

/* NULL and *out filled, or the sentence that says what is missing. */
const char *gev__glibc_find(struct gev__glibc *out);

#endif
