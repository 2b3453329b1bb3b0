/* Time slices: a green thread that computes without calling lets the others run every few milliseconds.
 *
 * The timer counts the processor time of the hub's OS thread: an idle program has no ticks. The kernel looks at such timers only
 * at its own clock ticks (4 ms apart with CONFIG_HZ=250), so a slice is a whole number of those, at least one; a shorter one, for tests,
 * is measured by the clock on the wall. With one thread there is no timer at all.
 *
 * A tick ends the slice of whoever has run since the tick before. In a busy server that is nobody: there a tick is one look at a counter
 * (to look again and again for a place to switch took five per cent of the server's time). The next sleeper's time is a tick too.
 *
 * A tick of that timer disturbs no system call: where the kernel was at work for the thread, it comes at the return to the program
 * (Linux 5.9, CONFIG_POSIX_CPU_TIMERS_TASK_WORK). Ticks by the clock on the wall do, and calm.c holds them where the program waits for real.
 *
 * A tick switches only where it has interrupted the program's own code, and nothing below it holds a lock of libc's: not in the loader,
 * not under a handler that has interrupted libc. Elsewhere it looks again a little later, or the thread's next poll, select or epoll_wait gives way:
 * an event loop under load is nearly always met in a call. */
#include "shim/signal/slice.h"

#include "shim/base/log.h"
#include "shim/base/options.h"
#include "shim/libc/wait.h"
#include "shim/pthread/cancel.h"

enum { AGAIN = 250000, TRIES = 16, IDLE = 1000000 };

static struct patch_timer timer = {.clock = CLOCK_THREAD_CPUTIME_ID, .id = -1};
static int64_t slice; /* nanoseconds; 0: off */
static bool running;
static int tries;
static uint32_t turn; /* whose it was at the last tick */
bool patch_slice_overdue;

struct patch_timer *patch_slice_timer(void)
{
	return &timer;
}

static void start(void)
{
	running = true;
	/* By the wall clock each tick is set by the one before: more than one at once would only be handled in vain. */
	patch_timer_set(&timer, slice, timer.clock == CLOCK_MONOTONIC ? 0 : slice);
}

static void stop(void)
{
	running = false;
	patch_timer_set(&timer, 0, 0);
}

void patch_slices_begin(void)
{
	struct timespec tick = {0};
	slice = patch_options()->slice;
	patch_loader_begin();
	if (slice == 0)
		return;
	/* The coarse clock goes on at the kernel's clock ticks. */
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	int64_t step = tick.tv_nsec ? tick.tv_nsec : 1;
	if (slice < step)
		timer.clock = CLOCK_MONOTONIC;
	else
		slice = slice / step * step - step / 4; /* a little less: it is found at the tick after */
}

void patch_slices_needed(void)
{
	if (unlikely(!running) && slice)
		start();
}

void patch_slices_hold(void)
{
	if (timer.clock == CLOCK_MONOTONIC && running)
		stop();
}

void patch_slices_again(void)
{
	if (running)
		start();
}

void patch_slices_forked(void)
{
	timer.id = -1;
	timer.setting = false;
	running = false;
}

/* Soon again; by the wall clock, because the next kernel tick may be as far away as a slice is long. */
static void try_again(void)
{
	if (tries < TRIES) {
		tries++;
		patch_tick_retry(AGAIN);
	} else {
		tries = 0;
	}
}

bool patch_slice_ends(const ucontext_t *context)
{
	if (!running)
		return false;
	enum patch_place place = patch_place_of(context);
	const struct patch_signals *me = &patch_sig;
	bool idle = place == PATCH_PLACE_RUNTIME && patch_gev->self() == NULL;
	bool ending = place == PATCH_PLACE_PROGRAM && patch_cancelled_anywhere();
	if (patch_gev->thread_count() <= 1 && !idle && !ending) {
		stop();
		return false;
	}
	if (timer.clock == CLOCK_MONOTONIC)
		patch_timer_set(&timer, idle ? IDLE : slice, 0);
	if (idle || place == PATCH_PLACE_FOREIGN)
		return false;
	if (timer.clock != CLOCK_MONOTONIC && turn != patch_gev->turn()) {
		/* The timers can only be looked at where the runtime is not at work on them. */
		if (!patch_gev->busy())
			patch_slice_begins();
		return false;
	}
	if (place != PATCH_PLACE_PROGRAM || !me->known || me->frames || patch_loader_busy()) {
		__atomic_store_n(&patch_slice_overdue, true, __ATOMIC_RELAXED);
		if (timer.clock != CLOCK_MONOTONIC)
			try_again();
		return false;
	}
	tries = 0;
	return true;
}

void patch_slice_paid(void)
{
	int saved = errno;
	__atomic_store_n(&patch_slice_overdue, false, __ATOMIC_RELAXED);
	if (turn == patch_gev->turn())
		patch_gev->yield();
	errno = saved;
}

/* Whoever runs now may compute for long. So the next one that sleeps shall not have to wait for the end of a slice: there is a tick when he is due. */
void patch_slice_begins(void)
{
	enum { LEAST = 500000 };
	tries = 0;
	turn = patch_gev->turn();
	int64_t due = patch_gev->deadline();
	if (due == GEV_NEVER || timer.clock == CLOCK_MONOTONIC)
		return;
	int64_t left = due - io_now();
	if (left < slice)
		patch_tick_retry(left > LEAST ? left : LEAST);
}
