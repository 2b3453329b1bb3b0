/* The loader's last error: a pointer in libc's thread-local storage, NULL where there is none (glibc 2.34 on: dlfcn/dlerror.c, __libc_dlerror_result, by that
 * name exported to glibc's own libraries). dlerror can only tell it, and no function puts it back. Where the name is not found, errors are forgotten. */
#include "shim/base/loader-error.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/base/next.h"

struct search {
	uintptr_t base;
	char *block;
};

/* dl_iterate_phdr(3): dlpi_tls_data is the calling thread's block of that object. */
static int is_it(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *s = arg;
	if (info->dlpi_addr != s->base)
		return 0;
	if (size >= offsetof(struct dl_phdr_info, dlpi_tls_data) + sizeof info->dlpi_tls_data)
		s->block = info->dlpi_tls_data;
	return 1;
}

static void **word(void)
{
	struct search s = {.block = NULL};
	ptrdiff_t at = patch_tls_in_libc("__libc_dlerror_result", &s.base);
	if (at >= 0)
		dl_iterate_phdr(is_it, &s);
	return s.block ? (void **)(void *)(s.block + at) : NULL;
}

void *patch_loader_error_take(void)
{
	void **here = word();
	void *taken = here ? *here : NULL;
	if (taken)
		*here = NULL;
	return taken;
}

void patch_loader_error_put(void *taken)
{
	void **here = taken ? word() : NULL;
	if (here == NULL)
		return;
	/* It gives ours back when it is asked once more. */
	while (dlerror())
		continue;
	*here = taken;
}
