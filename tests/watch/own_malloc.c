/* A malloc that is not libc's, and knows its own: what it has not given out it does not take back. Never reuses anything. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAGIC = 0x6d616c6c, LEAST = 16 };
#define ROOM ((size_t)1 << 30)
#define PUBLIC __attribute__((visibility("default")))

struct head {
	uint64_t magic;
	size_t size;
};

static char *place(size_t alignment, size_t size)
{
	static char *arena;
	static size_t used; /* atomic */
	if (arena == NULL)
		arena = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (alignment < LEAST)
		alignment = LEAST;
	size_t need = (size + 2 * alignment + LEAST) & ~(size_t)(LEAST - 1);
	size_t at = __atomic_fetch_add(&used, need, __ATOMIC_RELAXED);
	if (at + need > ROOM)
		return NULL;
	return (char *)(((uintptr_t)arena + at + sizeof(struct head) + alignment - 1) & ~(alignment - 1));
}

static struct head *head_of(void *p)
{
	struct head *h = (struct head *)p - 1;
	static const char message[] = "own_malloc: this is not mine\n";
	if (h->magic == MAGIC)
		return h;
	if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
		_exit(2);
	abort();
}

PUBLIC int posix_memalign(void **out, size_t alignment, size_t size)
{
	char *p = place(alignment, size);
	if (p == NULL)
		return ENOMEM;
	*((struct head *)(void *)p - 1) = (struct head){MAGIC, size};
	*out = p;
	return 0;
}

PUBLIC void *malloc(size_t size)
{
	void *p = NULL;
	return posix_memalign(&p, LEAST, size) ? NULL : p;
}

PUBLIC void *aligned_alloc(size_t alignment, size_t size)
{
	void *p = NULL;
	return posix_memalign(&p, alignment, size) ? NULL : p;
}

PUBLIC void *calloc(size_t n, size_t size)
{
	return malloc(n * size); /* fresh from the kernel */
}

PUBLIC void free(void *p)
{
	if (p)
		head_of(p)->magic = 0;
}

PUBLIC void *realloc(void *p, size_t size)
{
	void *new = malloc(size);
	if (p && new) {
		size_t old = head_of(p)->size;
		memcpy(new, p, old < size ? old : size);
		free(p);
	}
	return new;
}
