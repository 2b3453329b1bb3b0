/* Notes of signals, and queues of them.
 *
 * Notes come from a fixed store, because a signal handler makes them: a bit in use or not, changed by one atomic step. When all are in
 * use a standard signal is still remembered, by its bit alone; a queued one is refused, as sigqueue is by RLIMIT_SIGPENDING. */
#include "shim/signal/signals.h"

#include <string.h>

enum { NOTES = 1024 };
static struct patch_note notes[NOTES];
static uint32_t hint;
static struct patch_note *incoming; /* atomic, last first */

struct patch_queue patch_process_queue;

struct patch_note *patch_note_new(int sig, const siginfo_t *info, pthread_t target)
{
	uint32_t start = __atomic_load_n(&hint, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < NOTES; i++) {
		struct patch_note *n = &notes[(start + i) % NOTES];
		if (__atomic_load_n(&n->used, __ATOMIC_RELAXED) || __atomic_exchange_n(&n->used, 1, __ATOMIC_ACQUIRE))
			continue;
		__atomic_store_n(&hint, start + i + 1, __ATOMIC_RELAXED);
		n->next = NULL;
		n->target = target;
		n->info = *info;
		n->info.si_signo = sig;
		return n;
	}
	return NULL;
}

void patch_note_free(struct patch_note *note)
{
	__atomic_store_n(&note->used, 0, __ATOMIC_RELEASE);
}

void patch_note_send(struct patch_note *note)
{
	struct patch_note *first = __atomic_load_n(&incoming, __ATOMIC_RELAXED);
	do
		note->next = first;
	while (!__atomic_compare_exchange_n(&incoming, &first, note, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
}

bool patch_notes_any(void)
{
	return __atomic_load_n(&incoming, __ATOMIC_RELAXED) != NULL;
}

struct patch_note *patch_notes_take(void)
{
	struct patch_note *last = __atomic_exchange_n(&incoming, NULL, __ATOMIC_ACQUIRE), *first = NULL;
	while (last) {
		struct patch_note *before = last->next;
		last->next = first;
		first = last;
		last = before;
	}
	return first;
}

bool patch_queue_put(struct patch_queue *q, struct patch_note *note)
{
	int sig = note->info.si_signo;
	if (sig < SIG_FIRST_RT && (q->has & sig_bit(sig))) {
		patch_note_free(note);
		return false;
	}
	struct patch_note **end = &q->first;
	while (*end)
		end = &(*end)->next;
	note->next = NULL;
	*end = note;
	q->has |= sig_bit(sig);
	__atomic_fetch_or(&patch_restless, PATCH_NOTES, __ATOMIC_RELAXED);
	return true;
}

struct patch_note *patch_queue_get(struct patch_queue *q, sigbits which)
{
	which &= q->has;
	if (which == 0)
		return NULL;
	int sig = __builtin_ctzll(which) + 1;
	struct patch_note *got = NULL;
	q->has &= ~sig_bit(sig);
	for (struct patch_note **at = &q->first; *at;) {
		if ((*at)->info.si_signo != sig) {
			at = &(*at)->next;
		} else if (got == NULL) {
			got = *at;
			*at = got->next;
		} else {
			q->has |= sig_bit(sig);
			break;
		}
	}
	return got;
}

void patch_queue_clear(struct patch_queue *q)
{
	struct patch_note *next;
	for (struct patch_note *n = q->first; n; n = next) {
		next = n->next;
		patch_note_free(n);
	}
	*q = (struct patch_queue){0};
}
