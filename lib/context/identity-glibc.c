/* Finding what glibc publishes. dlsym reaches GLIBC_PRIVATE symbols too: they are default versions. */
#include "lib/context/identity-glibc.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <link.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include "lib/base/sys.h"
#include "lib/context/annotate.h"
#include "lib/context/thread-block.h"
#include "lib/context/thread-pointer.h"

/* nptl_db/db_info.c: a field's description is { size in bits, number of elements, offset }. */
enum { FIELD_COUNT = 1, FIELD_OFFSET = 2 };

static void *look_up(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

void *(*gev__glibc_symbol)(const char *name) = look_up;

static void *find(const char *name)
{
	return gev__glibc_symbol(name);
}

static const uint32_t *field(const char *name)
{
	return find(name);
}

struct search {
	uintptr_t inside; /* an address in the object we look for */
	struct gev__glibc *out;
	int found;
};

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *s = arg;
	const ElfW(Phdr) *tls = NULL;
	int is_it = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + p->p_vaddr;
		if (p->p_type == PT_LOAD && s->inside >= at && s->inside < at + p->p_memsz)
			is_it = 1;
		if (p->p_type == PT_TLS)
			tls = p;
	}
	if (!is_it)
		return 0;
	if (tls && size >= offsetof(struct dl_phdr_info, dlpi_tls_data) + sizeof info->dlpi_tls_data &&
	    info->dlpi_tls_data) {
		s->out->tls_offset = (char *)info->dlpi_tls_data - (char *)gev__tp_get();
		s->out->tls_size = tls->p_memsz;
		s->found = 1;
	}
	return 1;
}

/* Where that syscall is not to be had (a sandbox, an emulator): struct pthread { ...; void *robust_prev; struct robust_list_head robust_head; },
 * and a thread that holds no robust mutex has both lead to the head. */
static const struct robust_list_head *search_robust(const char *block, size_t size)
{
	for (size_t at = sizeof(void *); at + sizeof(struct robust_list_head) <= size; at += sizeof(void *)) {
		const struct robust_list_head *head = (const void *)(block + at);
		const void *prev = ((const void *const *)(const void *)head)[-1];
		if (prev == head && head->list.next == &head->list && head->futex_offset < 0 && !head->list_op_pending)
			return head;
	}
	return NULL;
}

static bool find_robust(struct gev__glibc *g)
{
	/* The kernel knows where this thread's list head is; it lies at the same place in every struct pthread. */
	const struct robust_list_head *head = NULL;
	size_t length = 0;
	const char *block = gev__thread_block(gev__tp_get(), g->sizeof_pthread);
	if (gev__sys.syscall(SYS_get_robust_list, 0, (long)&head, (long)&length, 0, 0, 0) || head == NULL)
		head = search_robust(block, g->sizeof_pthread);
	if (head == NULL)
		return false;
	g->robust_offset = (const char *)head - block;
	g->robust_futex_offset = head->futex_offset;
	return g->robust_offset > 0 && (size_t)g->robust_offset + sizeof *head <= g->sizeof_pthread;
}

/* A thread's array of blocks begins with the one that lies in its struct pthread. */
static void find_keys(struct gev__glibc *g)
{
	const uint32_t *destructor = field("_thread_db_pthread_key_struct_destr");
	const uint32_t *key_size = field("_thread_db_sizeof_pthread_key_struct");
	const uint32_t *value = field("_thread_db_pthread_key_data_data");
	const uint32_t *value_size = field("_thread_db_sizeof_pthread_key_data");
	const uint32_t *in_block = field("_thread_db_pthread_key_data_level2_data");
	const char *block = gev__thread_block(gev__tp_get(), g->sizeof_pthread);
	const char *first = *(char *const *)(const void *)(block + g->specific_offset);
	if (!destructor || !key_size || !value || !value_size || !in_block || in_block[FIELD_COUNT] == 0)
		return;
	if (first <= block || first >= block + g->sizeof_pthread)
		return;
	g->keys = (struct gev__keys){
		.keys = find("__pthread_keys"),
		.key_stride = *key_size,
		.destructor = destructor[FIELD_OFFSET],
		.value_stride = *value_size,
		.value = value[FIELD_OFFSET],
		.blocks = PTHREAD_KEYS_MAX / in_block[FIELD_COUNT],
		.block_values = in_block[FIELD_COUNT],
		.first_values = first - block,
	};
#ifdef GEV_ASAN
	for (pthread_key_t key = 0; key < 32; key++)
		g->keys.shared |= pthread_getspecific(key) ? UINT32_C(1) << key : 0;
#endif
}

const char *gev__glibc_find(struct gev__glibc *out)
{
	*out = (struct gev__glibc){
		.allocate_tls = (void *(*)(void *))find("_dl_allocate_tls"),
		.deallocate_tls = (void (*)(void *, _Bool))find("_dl_deallocate_tls"),
		.ctype_init = (void (*)(void))find("__ctype_init"),
		.call_tls_dtors = (void (*)(void))find("__call_tls_dtors"),
	};
	if (!out->allocate_tls || !out->deallocate_tls || !out->ctype_init)
		return "this libc does not export _dl_allocate_tls, _dl_deallocate_tls and __ctype_init";

	const uint32_t *size = field("_thread_db_sizeof_pthread");
	const uint32_t *tid = field("_thread_db_pthread_tid");
	const uint32_t *list = field("_thread_db_pthread_list");
	const uint32_t *specific = field("_thread_db_pthread_specific");
	const uint32_t *user = field("_thread_db_rtld_global__dl_stack_user");
	char *rtld_global = find("_rtld_global");
	if (!size || !tid || !list || !specific || !user || !rtld_global)
		return "this libc does not publish the layout of struct pthread (_thread_db_*)";
	out->sizeof_pthread = *size;
	out->tid_offset = tid[FIELD_OFFSET];
	out->list_offset = list[FIELD_OFFSET];
	out->specific_offset = specific[FIELD_OFFSET];
	out->stack_user = (struct gev__list_node *)(void *)(rtld_global + user[FIELD_OFFSET]);

	void (*static_info)(size_t * size, size_t * align) =
		(void (*)(size_t *, size_t *))find("_dl_get_tls_static_info");
	if (static_info)
		static_info(&out->static_size, &out->static_align);

	const ptrdiff_t *rseq_offset = find("__rseq_offset");
	const unsigned *rseq_size = find("__rseq_size");
	if (rseq_offset && rseq_size) {
		out->rseq_offset = *rseq_offset;
		out->rseq_size = *rseq_size > 32 ? *rseq_size : 32;
	}
	find_keys(out);
#ifdef GEV_ASAN
	if (out->keys.keys == NULL)
		return "AddressSanitizer keeps what it knows of a thread behind a key of it, and this libc hides where";
#endif
	if (!find_robust(out))
		return "cannot find the list of robust mutexes of a thread";

	/* An address inside libc proper: a function nobody else defines. */
	struct search search = {.inside = (uintptr_t)find("gnu_get_libc_version"), .out = out};
	dl_iterate_phdr(visit, &search);
	return search.found ? NULL : "cannot find the thread-local storage of libc";
}
