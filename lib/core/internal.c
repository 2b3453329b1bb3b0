/* Which descriptor numbers are the runtime's own: the program must not reach them. Declared in hub-loop.h. Any thread, and signal handlers. */
#include "lib/core/hub-loop.h"

#define INTERNAL_MAX 64

/* Slots are only ever filled or emptied, each by one store: a reader in a signal handler sees the one or the other. */
static int internal[INTERNAL_MAX];
static int internal_n;

void gev__loop_claim(int fd)
{
	for (int i = 0; i < INTERNAL_MAX; i++) {
		int empty = 0;
		if (__atomic_compare_exchange_n(&internal[i], &empty, fd + 1, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED)) {
			int n = __atomic_load_n(&internal_n, __ATOMIC_RELAXED);
			while (n < i + 1 && !__atomic_compare_exchange_n(&internal_n, &n, i + 1, true, __ATOMIC_RELEASE,
									 __ATOMIC_RELAXED))
				;
			return;
		}
	}
}

void gev__loop_disclaim(int fd)
{
	for (int i = 0; i < INTERNAL_MAX; i++) {
		int mine = fd + 1;
		if (__atomic_compare_exchange_n(&internal[i], &mine, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return;
	}
}

bool gev__loop_internal(int fd)
{
	int n = __atomic_load_n(&internal_n, __ATOMIC_ACQUIRE);
	for (int i = 0; i < n; i++)
		if (__atomic_load_n(&internal[i], __ATOMIC_RELAXED) == fd + 1 && fd >= 0)
			return true;
	return false;
}

int gev__loop_internal_next(int fd)
{
	int n = __atomic_load_n(&internal_n, __ATOMIC_ACQUIRE);
	int next = -1;
	for (int i = 0; i < n; i++) {
		int one = __atomic_load_n(&internal[i], __ATOMIC_RELAXED) - 1;
		if (one >= fd && (next < 0 || one < next))
			next = one;
	}
	return next;
}
