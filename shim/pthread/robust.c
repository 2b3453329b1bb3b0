/* Robust mutexes that a green thread still holds at its end: their next owner must be told (EOWNERDEAD).
 *
 * For a real thread the kernel does this at exit, from the list of held mutexes that libc keeps in struct pthread
 * (get_robust_list(2), and the kernel's Documentation/locking/robust-futexes.rst). The kernel does not see a green
 * thread end; this is its part of the protocol. */
#include <linux/futex.h>
#include <sys/syscall.h>

#include "shim/pthread/mutex_word.h"

static ptrdiff_t list_offset; /* of the list in every struct pthread; 0: not known */

void patch_robust_begin(void)
{
	/* The kernel was told where the list of this OS thread lies, and the caller is that thread. */
	struct robust_list_head *head = NULL;
	size_t size;
	if (syscall(SYS_get_robust_list, 0, &head, &size) == 0 && head)
		list_offset = (char *)head - (char *)pthread_self();
}

static void owner_died(uint32_t *word, uint32_t tid, bool inherits)
{
	uint32_t old = __atomic_load_n(word, __ATOMIC_RELAXED);
	do {
		if ((old & FUTEX_TID_MASK) != tid)
			return;
	} while (!__atomic_compare_exchange_n(word, &old, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED, true,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	if (!inherits && (old & FUTEX_WAITERS))
		patch_wake_native(word, FUTEX_WAKE);
	/* The word is the mutex's first: its address is what green threads wait under (mutex_kinds.c). */
	_Static_assert(offsetof(pthread_mutex_t, __data.__lock) == 0, "the lock word comes first");
	patch_gev->lot_wake(word, 1, 0);
}

void patch_robust_end(void)
{
	/* The low bit of a link, as the kernel reads it: this mutex inherits priority. */
	enum { INHERITS = 1 };
	if (list_offset == 0)
		return;
	struct robust_list_head *head = (void *)((char *)pthread_self() + list_offset);
	struct robust_list *end = &head->list;
	struct robust_list *at = end->next;
	for (int n = 0; n < ROBUST_LIST_LIMIT; n++) {
		bool inherits = (uintptr_t)at & INHERITS;
		at = (struct robust_list *)((uintptr_t)at & ~(uintptr_t)INHERITS);
		if (at == end || at == NULL)
			break;
		struct robust_list *next =
			at->next; /* once it is free another thread may take it, and link it elsewhere */
		owner_died((uint32_t *)(void *)((char *)at + head->futex_offset), (uint32_t)patch_tid(), inherits);
		at = next;
	}
	end->next = end;
}
