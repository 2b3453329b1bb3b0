/* signals.h: signals among green threads.
 *
 * The kernel knows one OS thread, and this folder makes many of it (signal(7), POSIX.1-2017 2.4):
 *
 *      kernel --trampoline--> note --incoming--> attend: whose is it? --> queue of a thread, or of the process
 *                                                                              |
 *                                   the thread's next safe place: deliver <----+
 *
 * - Handlers are installed as one trampoline (action.c). Where it has interrupted the program's own code, the handler runs at once,
 *   on the running thread. Where it has interrupted libc, it runs at once too, but nothing may switch meanwhile: libc may hold
 *   a lock. Where it has interrupted the runtime or this shim, a note is left, and a tick comes soon to look again.
 * - Each green thread has its mask. The kernel's is the running thread's; while the hub looks outside, what all block (mask.c).
 * - A signal for a parked thread interrupts its wait. The wait ends with EINTR, or begins again (SA_RESTART), or never notices.
 *
 * Before the runtime starts, and on OS threads that the hub does not run, everything is libc's and the kernel's.
 *
 * Invariants: queues are touched on the hub's OS thread only, and never by a handler that has interrupted someone who touches them
 * (patch_signals_touched); an incoming note belongs to whoever takes the whole list. */
#ifndef PATCH_SIGNAL_SIGNALS_H
#define PATCH_SIGNAL_SIGNALS_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "shim/base/patch.h"

typedef void patch_handler(int sig, siginfo_t *info, void *context);

/* A set of signals as the kernel has it: bit sig - 1. */
typedef uint64_t sigbits;

static inline sigbits sig_bit(int sig)
{
	return UINT64_C(1) << (sig - 1);
}

static inline sigbits sig_bits(const sigset_t *set)
{
	return *(const sigbits *)(const void *)set;
}

/* libc keeps two signals for itself, and a program can neither block nor handle them (nptl/nptl-signals). One of the two serves us. */
enum { SIG_CANCEL = 32, SIG_SETXID = 33, SIG_FIRST_RT = 32, SIG_MAX = 64 };
#define SIG_NEVER_BLOCKED (sig_bit(SIGKILL) | sig_bit(SIGSTOP) | sig_bit(SIG_CANCEL) | sig_bit(SIG_SETXID))

static inline bool sig_valid(int sig)
{
	return sig > 0 && sig <= SIG_MAX && sig != SIG_CANCEL && sig != SIG_SETXID;
}

/* ---- Notes and queues (note.c) ---- */

struct patch_note {
	struct patch_note *next;
	pthread_t target; /* 0: the process */
	uint32_t used;    /* atomic */
	siginfo_t info;
};

struct patch_queue {
	struct patch_note *first;
	sigbits has;
};

/* Async-signal-safe, any thread. NULL: all are in use. */
struct patch_note *patch_note_new(int sig, const siginfo_t *info, pthread_t target);
void patch_note_free(struct patch_note *note);
/* Async-signal-safe, any thread: the note is on its way, and attend will see it. */
void patch_note_send(struct patch_note *note);
bool patch_notes_any(void);
/* All that have come, oldest first. */
struct patch_note *patch_notes_take(void);
/* A standard signal that is there already is not queued twice (POSIX 2.4.1). False: it was, and the note is free again. */
bool patch_queue_put(struct patch_queue *q, struct patch_note *note);
/* The oldest of the lowest number in `which`; NULL. The caller frees it. */
struct patch_note *patch_queue_get(struct patch_queue *q, sigbits which);
void patch_queue_clear(struct patch_queue *q);

/* ---- A thread's signals ---- */

/* A handler that runs, on its thread's stack; innermost first. */
struct patch_frame {
	struct patch_frame *outer;
	bool pinned;
};

struct patch_signals {
	bool known;     /* of a thread that libpatch made, or of main */
	bool safe;      /* the call of libc's that is under way holds no lock: a handler that interrupts it may park */
	bool unsettled; /* it was told, while it did not wait */
	bool looking;   /* it will look by itself */
	bool lent;      /* it is in a call with a mask of its own, which a signal shall end */
	sigbits mask;
	sigbits awaited; /* what it waits for in sigwait */
	struct patch_queue queue;
	struct patch_frame *frames;
	struct gev_greenlet *greenlet;
	stack_t stack; /* its alternate one */
};

extern __thread struct patch_signals patch_sig __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Of the thread with that thread pointer, which is one of ours. */
static inline struct patch_signals *patch_signals_at(const void *tp)
{
	return (struct patch_signals *)(void *)((char *)tp + ((char *)&patch_sig - (char *)pthread_self()));
}

/* The process's: all block them. */
extern struct patch_queue patch_process_queue;

/* How many of those who touch the queues are under way on the hub's OS thread; a handler that finds one leaves a note. */
extern int patch_signals_touched;

/* Whether the caller's signals are ours to handle: the runtime has started, and this is a green thread. */
static inline bool patch_signals_ours(void)
{
	return unlikely(patch_started) && patch_sig.known && patch_gev->self() != NULL;
}

/* ---- Life (life.c) ---- */

/* Once, by main, before its first green thread. */
void patch_signals_begin(void);
/* Of a thread that is about to start: as its creator, or with a mask of its own. */
void patch_signals_born(void *tp, struct gev_greenlet *g, const sigset_t *mask);
/* Of the caller, which ends. */
void patch_signals_gone(void);
void patch_signals_forked(void);
/* The kernel's number of the hub's OS thread. */
int patch_hub_tid(void);

/* ---- Masks (mask.c) ---- */

/* Of the caller. What becomes unblocked is not delivered yet. */
void patch_mask_set(sigbits mask);
/* A call of the caller's has a mask of its own until it is given back (ppoll, sigsuspend); the old one is returned. A handler that ran where libc is at
 * work for the call, just before it parks, would leave it waiting for a signal that has been: what comes there is left for the wait to find. */
sigbits patch_mask_lend(sigbits mask);
void patch_mask_give_back(sigbits before);
/* The kernel has changed its mask by itself: at the end of a handler, by a long jump. Only the records follow. */
void patch_mask_note(sigbits mask);
/* The trampoline runs: the kernel blocks everything. */
void patch_mask_blocked_all(void);
/* Threads come and go. */
void patch_mask_count(sigbits mask, int by);
void patch_mask_arrive(void);
void patch_mask_idle(void);
/* What the caller blocks and another thread does not: whether it has come. */
void patch_mask_look(void);
void patch_mask_forked(sigbits mask);
/* The caller's, and our own ticks. */
sigset_t patch_mask_without_ticks(void);

/* ---- Actions (action.c) ---- */

/* What the program has said about sig; for one whose handler is to be called now (SA_RESETHAND is done). */
void patch_action_take(int sig, struct sigaction *action);
void patch_action_look(int sig, struct sigaction *action); /* only looks */
/* Whether sig would do nothing if it were delivered now. */
bool patch_action_ignored(int sig);
bool patch_action_default(int sig);
void patch_actions_begin(void);
/* The kernel's action for sig is the default from now on, if it is the program's. */
void patch_action_let_go(int sig);
/* The default action, done by the kernel. Returns, if at all, when the process has been continued. */
void patch_action_default_now(int sig);

/* ---- Whose it is (attend.c) ---- */

/* Hands out what has come. On the hub's OS thread, not from a handler that finds patch_signals_touched. */
void patch_attend(void);
/* The same, by a thread that delivers its own afterwards. */
void patch_attend_looking(void);
/* By main, or by who is main in a forked child. */
void patch_attend_main(struct patch_signals *main);
pthread_t patch_attend_main_id(void);
void patch_attend_forked(void);
/* What s was given of the process's, and now blocks, or all of it, is anybody's again. */
void patch_signals_give_back(struct patch_signals *s, bool all);
/* s has something to do: its wait is interrupted, or a tick will find it. */
void patch_notify(struct patch_signals *s);
/* s, the caller, looks now. */
void patch_settle(struct patch_signals *s);
/* Whether anybody was told who does not wait, and has not looked since. */
bool patch_unsettled(void);

/* ---- Delivery (deliver.c, place.c) ---- */

enum patch_place {
	PATCH_PLACE_FOREIGN, /* an OS thread that the hub does not run */
	PATCH_PLACE_RUNTIME, /* the hub, or a stretch of runtime or shim: only a note may be left */
	PATCH_PLACE_LIBC,    /* libc or another library that may hold a lock which is not ours */
	PATCH_PLACE_PROGRAM, /* the program's own code */
};

/* What a handler has interrupted. */
enum patch_place patch_place_of(const ucontext_t *context);
void patch_places_begin(void);

/* The object that the code belongs to, and where its mapping begins, found without a lock; NULL: none, or this libc cannot say (before 2.35). */
struct link_map;
struct link_map *patch_object_of(const void *code);
const void *patch_start_of(const void *code);

void patch_on_signal(int sig, siginfo_t *info, void *context);

/* Runs the caller's handlers that can run: in a safe place. 0: none ran. 1: all of them restart what they interrupt. 2: not all. */
int patch_deliver(void);
/* The same in a signal handler, on top of what it has interrupted. */
void patch_deliver_here(ucontext_t *context, bool pinned);
/* A wait of the caller ended with -EINTR. 0: go on with it. -EINTR: end it so. `restarts`: whether SA_RESTART applies to this call. */
int patch_interrupted(bool restarts);
/* The hook for waits that no signal ends. */
void patch_handle(void);
/* Whether something is there for the caller that it does not block. */
bool patch_deliverable(const struct patch_signals *s);

/* ---- Timers and descriptors that signal one thread (target.c) ---- */

enum patch_source { PATCH_BY_TIMER = 1, PATCH_BY_FD };

/* 0: the kernel knows that thread, or nobody does. */
pthread_t patch_target_named(pid_t number);
/* False: there are too many. */
bool patch_target_keep(enum patch_source source, int number, pthread_t target);
/* *target: 0: that thread is no more. */
bool patch_target_find(enum patch_source source, int number, pthread_t *target);
void patch_target_forget(enum patch_source source, int number);
/* False: the thread that was named is no more. Else *target is that thread, or untouched. Async-signal-safe. */
bool patch_target_meant(int sig, const siginfo_t *info, pthread_t *target);
/* That thread ends. */
void patch_targets_end(pthread_t target);
void patch_targets_forked(void);

/* fcntl's F_SETOWN_EX and F_GETOWN_EX, with errno (owner.c). */
struct f_owner_ex;
int patch_owner_set(int fd, const struct f_owner_ex *owner);
int patch_owner_get(int fd, struct f_owner_ex *owner);
/* Another owner has been set. */
void patch_owner_forget(int fd);
/* What the kernel says is the owner's number, as the program knows it. */
int patch_owner_number(int fd, int number);

/* ---- Alternate stacks (stack.c) ---- */

void patch_stacks_begin(void);
/* Whether the kernel has a stack of ours, and each thread its own here. */
bool patch_stacks_virtual(void);
bool patch_stack_is_hubs(const void *at);
uintptr_t patch_stack_top(const stack_t *s);
/* Whether a handler of the caller's shall go to its alternate stack from sp. */
bool patch_stack_wanted(const struct sigaction *a, uintptr_t sp);
/* Where a frame ends that lies on the interrupted stack. */
uintptr_t patch_stack_below(uintptr_t sp);
/* The same for a frame that the program knows nothing of: where the caller has left its own stack, and has an alternate one, it is there. Compiled code
 * may use the stack pointer for something else, and have all handlers run aside (Erlang's has it in the memory of an Erlang process). */
uintptr_t patch_stack_aside(uintptr_t sp);

/* ---- Ticks (tick.c) ---- */

void patch_ticks_begin(void);
void patch_ticks_forked(void);
/* libc has put a handler of its own in place of ours (pthread_cancel of a real thread). */
void patch_ticks_again(void);
/* None comes by the clock on the wall until one is asked for again, or until resume, which does nothing where none was held. */
void patch_ticks_hold(void);
void patch_ticks_resume(void);
/* A thread was made: there is somebody to take turns with. */
void patch_slices_needed(void);

/* The running thread's slice was over where nothing could switch. A call that waits for descriptors gives way then, also when it need not wait: an event
 * loop that always finds something is seldom met in its own code. */
extern bool patch_slice_overdue; /* atomic */
void patch_slice_paid(void);
static inline void patch_give_way(void)
{
	if (__builtin_expect(__atomic_load_n(&patch_slice_overdue, __ATOMIC_RELAXED), 0))
		patch_slice_paid();
}
/* The next tick of a slice that could not end comes in that many nanoseconds. */
void patch_tick_retry(int64_t after);
/* Async-signal-safe: what could not be delivered just now is looked at again soon. */
void patch_tick_soon(void);

/* ---- What libc keeps for itself (private.c) ---- */

/* sig is one of those two. What is not ours is passed on to libc's handler, if it has one. */
void patch_private_take(int sig, patch_handler *handler, int flags, sigbits mask);
void patch_private_pass(int sig, siginfo_t *info, void *context);
void patch_private_begin(void);

/* ---- What the processor says (frame-ARCH.c) ---- */

/* How the kernel comes back from a handler that libc has not installed: flags and the function, where one is needed. */
void patch_frame_return(unsigned long *flags, void (**restorer)(void));
/* Where a context stands. */
uintptr_t patch_frame_pc(const ucontext_t *context);
uintptr_t patch_frame_sp(const ucontext_t *context);
/* Puts the frame of a signal below `top` and goes on there, in `go`, as if the kernel had laid it there. Does not return. False: it cannot be done here. */
bool patch_frame_move(int sig, siginfo_t *info, ucontext_t *context, uintptr_t top, patch_handler *go);
/* f(arg) on the stack that ends at top. */
void patch_frame_call(uintptr_t top, void (*f)(void *arg), void *arg);
/* The stack pointer that a long jump to env sets. */
uintptr_t patch_jump_goal(const struct __jmp_buf_tag *env);

#endif
