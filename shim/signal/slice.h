/* slice.h: between the ticks and the time slices. */
#ifndef PATCH_SIGNAL_SLICE_H
#define PATCH_SIGNAL_SLICE_H

#include <time.h>

#include "shim/signal/signals.h"

/* One of the kernel's timers, which sends ticks to the hub's OS thread. */
struct patch_timer {
	clockid_t clock;
	int id;  /* the kernel's number; -1: not made yet */
	bool on; /* a tick is on its way */
	/* It is being set, and its tick has come meanwhile. */
	volatile bool setting, over;
};

/* Nanoseconds from now; every: then again and again, 0: once, by the wall clock perhaps later. after 0: no more. Async-signal-safe. */
void patch_timer_set(struct patch_timer *timer, int64_t after, int64_t every);

void patch_slices_begin(void);
void patch_slices_forked(void);
/* A tick may have been lost. */
void patch_slices_again(void);
struct patch_timer *patch_slice_timer(void);
/* No tick by the clock on the wall, until patch_slices_needed. */
void patch_slices_hold(void);
/* A tick of that timer, or one that patch_tick_retry had asked for, has interrupted the context: whether the running thread must now let the others run. */
bool patch_slice_ends(const ucontext_t *context);
/* The thread goes on after the others have run. */
void patch_slice_begins(void);

/* Finds the loader's locks (loader.c). */
void patch_loader_begin(void);

#endif
