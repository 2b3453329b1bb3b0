/* Whose is it? The notes that have come are put into queues, and who has something to do is told.
 *
 * A signal for the process goes to main if main lets it through, as the kernel has it (kernel/signal.c, complete_signal); else to whoever
 * runs; else to any thread that does. If all block it, it waits: for a thread in sigwait, or one that lets it through later. */
#include "shim/signal/signals.h"

static struct patch_signals *main_signals;
static pthread_t main_id;
static int unsettled; /* threads that have been told and do not wait: nothing brings them to a safe place but a tick */

void patch_attend_main(struct patch_signals *main)
{
	main_signals = main;
	main_id = pthread_self();
}

pthread_t patch_attend_main_id(void)
{
	return main_id;
}

void patch_settle(struct patch_signals *s)
{
	if (s->unsettled) {
		s->unsettled = false;
		unsettled--;
	}
	patch_gev->interrupt(s->greenlet, false);
}

bool patch_unsettled(void)
{
	return unsettled > 0;
}

void patch_attend_forked(void)
{
	unsettled = 0;
	patch_sig.unsettled = false;
	/* In the child of another thread's fork that thread is main. */
	patch_attend_main(&patch_sig);
}

void patch_notify(struct patch_signals *s)
{
	if (s->looking || patch_gev->interrupt(s->greenlet, true))
		return;
	if (!s->unsettled) {
		s->unsettled = true;
		unsettled++;
	}
	patch_tick_soon();
}

struct looking {
	sigbits bit;
	struct patch_signals *open, *waits;
};

static bool look_at(struct patch_signals *s, struct looking *l)
{
	if (s->known && !(s->mask & l->bit))
		l->open = s;
	else if (s->known && (s->awaited & l->bit) && l->waits == NULL)
		l->waits = s;
	return l->open == NULL;
}

static bool look_at_greenlet(struct gev_greenlet *g, void *arg)
{
	return look_at(patch_signals_at(patch_gev->thread_pointer(g)), arg);
}

/* Whoever lets sig through; NULL: nobody just now, and *waits is who awaits it, or NULL. */
static struct patch_signals *choose(int sig, struct patch_signals **waits)
{
	struct looking l = {.bit = sig_bit(sig)};
	if (look_at(main_signals, &l) && (patch_gev->busy() || patch_gev->self() == NULL || look_at(&patch_sig, &l)))
		patch_gev->each(look_at_greenlet, &l);
	*waits = l.waits;
	return l.open;
}

/* False: nothing is left to be done for a signal that would be delivered to s now. */
static bool worth_queueing(const struct patch_signals *s, int sig)
{
	if (s == NULL || (s->mask & sig_bit(sig)))
		return true;
	if (patch_action_ignored(sig))
		return false;
	if (!patch_action_default(sig))
		return true;
	/* It ends or stops the process: whichever thread it is for. */
	patch_action_default_now(sig);
	return false;
}

static void put_directed(struct patch_note *n)
{
	struct patch_signals *s = patch_signals_at((void *)n->target);
	int sig = n->info.si_signo;
	if (!s->known || !worth_queueing(s, sig)) {
		patch_note_free(n);
		return;
	}
	if (patch_queue_put(&s->queue, n) && (sig_bit(sig) & (~s->mask | s->awaited)))
		patch_notify(s);
}

/* It becomes the chosen one's: others that let it through must not take it first. */
static void put_for_process(struct patch_note *n)
{
	int sig = n->info.si_signo;
	struct patch_signals *waits, *open = choose(sig, &waits);
	if (!worth_queueing(open, sig)) {
		patch_note_free(n);
	} else if (open) {
		if (patch_queue_put(&open->queue, n))
			patch_notify(open);
	} else if (patch_queue_put(&patch_process_queue, n) && waits) {
		patch_notify(waits);
	}
}

static void put_all(struct patch_note *first)
{
	struct patch_note *next;
	for (struct patch_note *n = first; n; n = next) {
		next = n->next;
		if (n->target)
			put_directed(n);
		else
			put_for_process(n);
	}
}

void patch_signals_give_back(struct patch_signals *s, bool all)
{
	patch_signals_touched++;
	struct patch_note *next, *first = s->queue.first;
	s->queue = (struct patch_queue){0};
	for (struct patch_note *n = first; n; n = next) {
		next = n->next;
		if (n->target == 0 && (all || (s->mask & sig_bit(n->info.si_signo))))
			patch_note_send(n);
		else
			patch_queue_put(&s->queue, n);
	}
	patch_signals_touched--;
}

void patch_attend_looking(void)
{
	patch_sig.looking = true;
	patch_attend();
	patch_sig.looking = false;
}

void patch_attend(void)
{
	patch_signals_touched++;
	put_all(patch_notes_take());
	if (unlikely(patch_process_queue.has)) {
		/* Somebody may let them through by now. */
		struct patch_note *first = patch_process_queue.first;
		patch_process_queue = (struct patch_queue){0};
		put_all(first);
	}
	patch_signals_touched--;
}
