/* stream.h: whose turn it is on a stream, while somebody is parked inside one.
 *
 * libc's own lock of a FILE is a futex of the OS thread: a green thread that parked with it would stop the process at the next one that
 * comes. So nobody parks with it. Who parks inside a stream lays down libc's lock for that time, and the stream is *taken*: in a table
 * (turns.c), until the call of libc's that began it has returned.
 *
 *     wrapper (wrappers.c)                        is it taken by another? then wait in the parking lot
 *       libc's fgets: takes libc's lock, ...
 *         the stream's read (tables.c)            stream_yield: it is taken now, libc's lock is laid down
 *           recv, which parks                     others run
 *                                                 stream_resume: libc's lock is taken up again
 *       ... goes on, gives libc's lock back
 *     wrapper                                     it is not taken any more; the first who waits has it now
 *
 * Nothing can switch between the look into the table and the stream's read or write: a time slice does not end in libc's code. So a call
 * that never parks writes nothing into the table. While nobody is parked in any stream, the look is a test of one word.
 *
 * As natively, nobody waits for a stream whose lock nobody has: of functions without a lock (getc_unlocked), and of all on a stream that is locked by
 * its callers alone (FSETLOCKING_BYCALLER).
 *
 * Invariant: a slot of the table has an owner; whoever owns it has a stream_call on the stack for it, or holds it by flockfile, or was
 * given it by the last one and wakes up soon. */
#ifndef SHIM_STDIO_STREAM_H
#define SHIM_STDIO_STREAM_H

#include "shim/base/patch.h"

/* A call of libc's on a stream, of one thread; the innermost first. */
struct stream_call {
	FILE *f;
	struct stream_call *outer;
	bool owns;      /* its part of a slot */
	bool down;      /* libc's lock is laid down */
	unsigned locks; /* how often it was held */
};

extern __thread struct stream_call *stream_calls __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Set once, when the streams' reads and writes are ours. Until then every wrapper is libc's function. */
extern bool streams_ours;

/* Real threads use streams beside green ones: then every call takes its stream. */
extern bool streams_mixed;

/* One bit of a stream's address: set if one of that bit is taken; all are, when they are mixed. */
extern uint64_t streams_taken;

static inline uint64_t stream_bit(const FILE *f)
{
	return UINT64_C(1) << ((uintptr_t)f >> 5 & 63);
}

/* Waits until the stream is the caller's or nobody's. */
void stream_enter_taken(struct stream_call *call);
void stream_leave_taken(struct stream_call *call);

/* libc sets it in every stream once it has made a thread of its own (libio.h: _IO_FLAGS2_NEED_LOCK); in those of memory always. */
enum { STREAM_NEEDS_LOCK = 128 };

/* libc's functions take no lock of it (__fsetlocking(3), FSETLOCKING_BYCALLER; bits/types/struct_FILE.h). */
static inline bool stream_is_users(const FILE *f)
{
	return f->_flags & _IO_USER_LOCK;
}

static inline void stream_enter(struct stream_call *call, FILE *f)
{
	call->f = f;
	call->owns = call->down = false;
	call->outer = stream_calls;
	stream_calls = call;
	if (unlikely((__atomic_load_n(&streams_taken, __ATOMIC_RELAXED) & stream_bit(f)) ||
		     (f->_flags2 & STREAM_NEEDS_LOCK)))
		stream_enter_taken(call);
}

/* The stream may be gone. */
static inline void stream_leave(struct stream_call *call)
{
	stream_calls = call->outer;
	if (unlikely(call->owns))
		stream_leave_taken(call);
}

/* Whether the caller is in a call that locks the stream. */
bool stream_is_callers(const FILE *f);

/* The rest of the block is one call on the stream. */
#define STREAM_TURN(f)                                                                                                 \
	struct stream_call stream_turn __attribute__((cleanup(stream_leave)));                                         \
	stream_enter(&stream_turn, f)

/* Around what may park inside f: every stream that the caller is in becomes taken, and libc's locks are laid down. */
struct stream_yield {
	struct stream_call call; /* for f, where the caller is in it without a wrapper */
	bool called;
	struct stream_call *until; /* this one and what is outside of it is laid down already */
	unsigned standard[3];      /* how often libc's locks of the standard streams were held */
};
/* f may be NULL. */
void stream_yield(struct stream_yield *y, FILE *f);
void stream_resume(struct stream_yield *y);

/* How often anybody has yielded: while it stays the same nobody else has run. */
extern uint64_t streams_yields;

/* flockfile: 0; EBUSY, where the caller does not wait for another. */
int stream_hold(FILE *f, bool waits);
void stream_let_go(FILE *f);
/* The caller has locked it so often by libc's own flockfile, before the streams were ours. */
void stream_held(FILE *f, unsigned times);
/* The process ends: those who merely hold a stream, by flockfile, are not waited for any more, as libc's exit does not. */
extern bool streams_ending;

/* The caller's calls on streams whose stack lies below `goal` are left by a long jump. */
void streams_jumped(uintptr_t goal);
/* All of them are, by an unwinding that releases libc's locks. */
void streams_unwound(void);
/* In a forked child. */
void streams_forked(void);

/* Puts our functions into libc's tables (tables.c). Once, on the hub's OS thread. */
void streams_begin(void);

/* libc's lock of a stream (sysdeps/nptl/stdio-lock.h). */
struct libc_lock {
	int word;
	int times;
	void *owner;
};
static inline const struct libc_lock *stream_lock(const FILE *f)
{
	return (const struct libc_lock *)f->_lock;
}

/* libc's list of all streams (libio.h); between lock and unlock nothing may park. */
typedef void *stream_iterator;
stream_iterator _IO_iter_begin(void);
stream_iterator _IO_iter_end(void);
stream_iterator _IO_iter_next(stream_iterator at);
FILE *_IO_iter_file(stream_iterator at);
void _IO_list_lock(void);
void _IO_list_unlock(void);

/* fflush(NULL). 0 or EOF. */
int streams_flush(void);

/* error and error_at_line. */
void stream_error(int status, int number, const char *file, unsigned line, const char *format, va_list ap);

#endif
