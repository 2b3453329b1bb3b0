/* thread.h: what the shim knows about a green thread.
 *
 * The record lies in the thread's own TLS, so it needs no table and no lock: pthread_self() is an address, and static
 * TLS lies at the same distance from it in every thread.
 *
 *      pthread_t id ----------------> struct pthread (libc's)
 *           |  one constant for the process
 *           +-----------------------> patch_me        (ours, of that thread)
 *
 * In a thread that libpatch did not make, and in main before the runtime starts, the record is all zero
 * (PATCH_FOREIGN); such a thread belongs to libc, and libc's own function is called for it.
 *
 * Invariant: state goes JOINABLE -> DETACHED -> GONE or JOINABLE -> ENDED -> GONE or JOINABLE -> GONE, never back.
 * GONE outlives the thread, because identities are pooled: a stale pthread_t is answered with ESRCH as long as nobody
 * runs as it.
 */
#ifndef PATCH_PTHREAD_THREAD_H
#define PATCH_PTHREAD_THREAD_H

#include <stddef.h>
#include <stdint.h>

#include "shim/base/patch.h"

enum patch_thread_state {
	PATCH_FOREIGN,  /* not ours */
	PATCH_JOINABLE, /* lives */
	PATCH_DETACHED, /* lives */
	PATCH_ENDED,    /* waits to be joined or detached */
	PATCH_GONE,     /* its pthread_t names nothing any more */
};

struct patch_thread {
	uint32_t state; /* atomic */
	int tid;        /* of libc's struct pthread: who owns a mutex; 0: not looked up yet */
	bool is_main;
	bool c11;     /* entry is a thrd_start_t */
	bool leaving; /* in pthread_exit or past it: cannot be cancelled any more */
	bool uncancellable;
	bool asynchronous;
	bool cancelled; /* atomic: somebody has asked for it */
	struct gev_greenlet *greenlet;
	pthread_t joiner; /* atomic: who waits for this one's end, 0: nobody */
	void *(*entry)(void *);
	void *arg;
	void *result;
	struct patch_thread *next_dead;
	int policy;
	int priority;
	bool unguarded;  /* asked for no guard page; there is one all the same */
	cpu_set_t *cpus; /* what pthread_setaffinity_np was told; NULL: nothing */
	char name[16];   /* "": as main's */
	int8_t nice;
	bool niced;      /* `nice` has been set */
	bool numbered;   /* it has asked for its number (number.c) */
	int *cleared_at; /* set_tid_address(2) */
	struct patch_thread *next_numbered;
};

/* The kernel gives no number from 2^22 on (PID_MAX_LIMIT); those of green threads begin there. */
enum { PATCH_FIRST_INVENTED = 1 << 22 };

extern __thread struct patch_thread patch_me __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* The record of the thread with that pthread_t, whose state may be anything. */
static inline struct patch_thread *patch_thread_at(pthread_t id)
{
	ptrdiff_t distance = (char *)&patch_me - (char *)pthread_self();
	return (struct patch_thread *)(void *)((char *)id + distance);
}

/* The pthread_t of a record. */
static inline pthread_t patch_thread_id(const struct patch_thread *t)
{
	ptrdiff_t distance = (char *)&patch_me - (char *)pthread_self();
	return (pthread_t)((const char *)t - distance);
}

static inline uint32_t patch_thread_state(const struct patch_thread *t)
{
	return __atomic_load_n(&t->state, __ATOMIC_ACQUIRE);
}

/* The record of id; NULL: libc's own thread, whose original must be called. A thread of ours that is no more has the
 * state PATCH_GONE. */
struct patch_thread *patch_thread_find(pthread_t id);

/* The caller's record; NULL: libc's own thread. */
static inline struct patch_thread *patch_thread_self(void)
{
	return patch_me.state != PATCH_FOREIGN ? &patch_me : NULL;
}

/* In a forked child, whether or not the runtime has started: fork has given the caller's struct pthread the child's number. */
static inline void patch_tid_forked(void)
{
	patch_me.tid = 0;
}

/* The caller's thread number as libc's struct pthread has it: the kernel's for a real thread, one outside the
 * kernel's range for a green one. */
int patch_tid_look_up(void);
int patch_tid_of(pthread_t id); /* 0 and less: it has none (any more) */
static inline int patch_tid(void)
{
	int tid = patch_me.tid;
	return likely(tid != 0) ? tid : patch_tid_look_up();
}

/* The green thread that gettid has told that number, main excepted; NULL: none lives. */
struct patch_thread *patch_thread_numbered(pid_t number);
/* tgkill, if that is a green thread of this process; *r is its result. */
bool patch_kill_numbered(pid_t process, pid_t number, int sig, int *r);
/* set_tid_address(2): the word that is cleared, and on which one waiter is woken, when the caller ends. False: libc's own thread, or main. */
bool patch_clear_number_at(int *word);
void patch_number_end(struct patch_thread *t);
void patch_numbers_forked(void);

/* Makes a green thread. 0 or an error number; PATCH_MAKE_REAL: this one must be libc's, and it has been said why. */
enum { PATCH_MAKE_REAL = -1 };
int patch_thread_make(pthread_t *id, const pthread_attr_t *attr, void *(*entry)(void *), void *arg, bool c11);

/* libc's, by way of those who stand before it; and what it is to one of them that makes threads of its own by it. */
int patch_create_real(pthread_t *id, const pthread_attr_t *attr, void *(*entry)(void *), void *arg);
int patch_thread_create_below(pthread_t *id, const pthread_attr_t *attr, void *(*entry)(void *), void *arg);

/* Calls f(arg) as the hub's OS thread itself: libc's pthread_create reads its caller's control block, and takes the
 * kernel's number from it. f must not wait. */
void patch_as_os_thread(void (*f)(void *arg), void *arg);
/* The same by a signal handler that has interrupted the hub's OS thread anywhere. */
void patch_as_os_thread_here(void (*f)(void *arg), void *arg);

/* Set once a real thread has been made through us. */
extern bool patch_real_threads;
static inline void patch_real_thread_comes(void)
{
	patch_real_threads = true;
	__atomic_fetch_or(&patch_restless, PATCH_REAL, __ATOMIC_SEQ_CST);
}

/* The first function of every green thread; `arg` is not used. */
void patch_thread_entry(void *arg);
/* What a thread does when its entry has returned or was unwound; then it may leave its stack. */
void patch_thread_end(void);
/* The same for main. Returns when libc shall end the OS thread. */
void patch_main_end(void);
/* Whether main was entered through our frame, so that pthread_exit in it can be caught. */
extern bool patch_main_framed;

/* Once, before the first green thread, in main: gives main its record, and tells libc that it is not alone any more. */
void patch_threads_begin(void);
/* In a forked child, after the runtime has been told: the caller is the only thread. */
void patch_threads_forked(void);

/* Frees threads that OS threads without a hub have joined. On the hub's thread only. */
void patch_thread_sweep(void);
void patch_thread_bury(struct patch_thread *t);

/* The ends of libc's own per-thread things. */
void patch_keys_end(void);
void patch_robust_begin(void);
void patch_robust_end(void);

/* A field of libc's struct pthread, by the name that it publishes for debuggers (nptl_db/structs.def); -1: not
 * published. */
ptrdiff_t patch_pthread_field(const char *name);

#endif
