/* The functions in libc's tables of streams.
 *
 *   read, write    park. Meanwhile the stream is taken (stream.h)
 *   overflow       libc flushes stdout of its own accord before it reads from a terminal, and everything at exit: not while
 *                  another is in the midst of a write to it
 *   close          waiters of the descriptor are told, at the moment when it goes; pclose's parks until the child has ended
 */
#include "shim/stdio/calls.h"

#include <sys/wait.h>

#include "shim/libc/close.h"
#include "shim/libc/io.h"
#include "shim/libc/linger.h"
#include "shim/libc/wait.h"

/* libio.h, _IO_FLAGS2_NOTCANCEL: libc's own streams have it, which are no cancellation points. */
enum { NOT_CANCEL = 2 };

struct inside {
	struct stream_yield yield;
	bool parks;  /* reads and writes as a green thread does */
	bool yields; /* that, or a real thread waits in the kernel: a green one must not meet its lock */
	bool held;
};

static void begin(struct inside *in, FILE *f)
{
	bool own = f->_flags2 & NOT_CANCEL;
	in->parks = in->yields = false;
	/* vdprintf's, which libc uses under locks of its own too, has no lock. */
	if (!streams_ours || f->_lock == NULL)
		return;
	if (patch_green()) {
		if (!own)
			io_cancellation_point();
		in->parks = in->yields = io_may_wait(f->_fileno);
	} else {
		in->yields = streams_mixed && patch_gev->self() == NULL;
	}
	if (!in->yields)
		return;
	stream_yield(&in->yield, f);
	in->held = in->parks && own && patch_cancel_hold();
}

static void end(struct inside *in)
{
	if (!in->yields)
		return;
	patch_cancel_let(in->held);
	stream_resume(&in->yield);
}

ssize_t patch__IO_file_read(FILE *f, void *to, ssize_t n)
{
	struct inside in;
	struct iovec v = {to, (size_t)n};
	int saved = errno;
	begin(&in, f);
	ssize_t r = in.parks ? io_read(f->_fileno, &v, 1) : IO_NEVER_BLOCKS;
	if (r == IO_NEVER_BLOCKS) {
		errno = saved;
		r = real._IO_file_read(f, to, n);
		end(&in);
		return r;
	}
	end(&in);
	return io_result(r, saved);
}
EXPORT(_IO_file_read);

/* fileops.c, _IO_new_file_write: the count of what has gone, with the mark of an error if that is not all. */
ssize_t patch__IO_file_write(FILE *f, const void *from, ssize_t n)
{
	struct inside in;
	size_t done = 0, size = n > 0 ? (size_t)n : 0;
	int saved = errno;
	begin(&in, f);
	ssize_t r = in.parks ? 0 : IO_NEVER_BLOCKS;
	while (done < size && r >= 0) {
		struct iovec v = {(char *)from + done, size - done};
		r = io_write(f->_fileno, &v, 1);
		done += r > 0 ? (size_t)r : 0;
	}
	if (f->_offset >= 0)
		f->_offset += (off_t)done;
	if (r == IO_NEVER_BLOCKS) {
		errno = saved;
		done += (size_t)real._IO_file_write(f, (const char *)from + done, n - (ssize_t)done);
		end(&in);
		return (ssize_t)done;
	}
	end(&in);
	if (io_result(r, saved) < 0)
		f->_flags |= _IO_ERR_SEEN;
	return (ssize_t)done;
}
EXPORT(_IO_file_write);

/* The runtime's own threads have streams too, of which nobody needs to be told: they call libc's functions, not ours. */
static bool is_told(void)
{
	return stream_calls || patch_self();
}

int patch__IO_file_close(FILE *f)
{
	struct own_fd lingers = {.fd = -1};
	int fd = is_told() ? f->_fileno : -1;
	if (unlikely(fds_lingering) && streams_ours && f->_lock && fd >= 0)
		linger_begin(&lingers, fd);
	fd_goes(fd);
	int r = real._IO_file_close(f);
	fd_gone(fd);
	if (unlikely(lingers.fd >= 0)) {
		struct stream_yield y;
		stream_yield(&y, f);
		linger_end(&lingers, false);
		stream_resume(&y);
	}
	return r;
}
EXPORT(_IO_file_close);

/* ---- popen's ---- */

/* What popen makes (iopopen.c): the child's number lies behind the FILE and its table. */
struct child_stream {
	FILE f;
	const void *table;
	pid_t pid;
};

static void wait_child(const FILE *f)
{
	siginfo_t info;
	pid_t pid = ((const struct child_stream *)(const void *)f)->pid;
	int state;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	while (patch_waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
	}
	pthread_setcancelstate(state, NULL);
}

/* libc's own closes the descriptor, which may be what the child waits for, and then waits with the OS thread. So another file is put in the
 * descriptor's place, the child is waited for, and libc's own finds all of that done. A terminated child stays for it. */
int patch__IO_proc_close(FILE *f)
{
	if (!streams_ours)
		return real._IO_proc_close(f);
	int fd = f->_fileno, internal = patch_gev->fd_internal_next(0);
	fd_goes(fd);
	if (patch_green() && internal >= 0 && real.dup3(internal, fd, O_CLOEXEC) >= 0) {
		struct stream_yield y;
		fd_gone(fd);
		stream_yield(&y, f);
		wait_child(f);
		stream_resume(&y);
		fd_goes(fd);
	}
	int r = real._IO_proc_close(f);
	fd_gone(fd);
	return r;
}
EXPORT(_IO_proc_close);

/* ---- Flushes of libc's own: under its lock. Those of functions without a lock wait for nobody. ---- */

int stream_overflow(FILE *f, int c)
{
	if (!streams_ours || !stream_is_callers(f))
		return real._IO_file_overflow(f, c);
	STREAM_TURN(f);
	return real._IO_file_overflow(f, c);
}

int stream_wide_overflow(FILE *f, wint_t c)
{
	if (!streams_ours || !stream_is_callers(f))
		return (int)real._IO_wfile_overflow(f, c);
	STREAM_TURN(f);
	return (int)real._IO_wfile_overflow(f, c);
}
