/* Making and closing streams. */
#include <string.h>

#include "shim/libc/close.h"
#include "shim/libc/fifo.h"
#include "shim/libc/wait.h"
#include "shim/stdio/stream.h"

/* ---- Closing: the descriptor goes in the stream's own close (tables.c) ---- */

int patch_fclose(FILE *f)
{
	if (likely(!streams_ours))
		return real.fclose(f);
	STREAM_TURN(f);
	return real.fclose(f);
}
EXPORT(fclose);
EXPORT_AS(_IO_fclose, fclose);

int patch_pclose(FILE *f)
{
	if (likely(!streams_ours))
		return real.pclose(f);
	STREAM_TURN(f);
	return real.pclose(f);
}
EXPORT(pclose);

/* ---- Opening ---- */

/* A FIFO's open waits for the other end (fifo(7)). So it is first opened as open opens it, and then once more from the other end, which does
 * not wait now; while both are open, nor does the open inside libc. */
struct fifo {
	int end, other;
};

/* False: it cannot be opened, or a handler has ended the wait; errno says which. */
static bool open_fifo_by(struct fifo *fifo, const char *path, int flags)
{
	bool reads = (flags & O_ACCMODE) == O_RDONLY;
	*fifo = (struct fifo){-1, -1};
	if (!patch_green() || !fifo_would_wait(AT_FDCWD, path, flags))
		return true;
	fifo->end = patch_open(path, (reads ? O_RDONLY : O_WRONLY) | O_CLOEXEC, 0);
	if (fifo->end < 0)
		return false;
	fifo->other = real.open(path, (reads ? O_WRONLY : O_RDONLY) | O_CLOEXEC | O_NONBLOCK, 0);
	return true;
}

static bool open_fifo(struct fifo *fifo, const char *path, const char *mode)
{
	*fifo = (struct fifo){-1, -1};
	return path == NULL || mode == NULL || strpbrk(mode, "+x") ||
	       open_fifo_by(fifo, path, *mode == 'r' ? O_RDONLY : O_WRONLY);
}

static void close_fifo(struct fifo fifo)
{
	int saved = errno;
	if (unlikely(fifo.end >= 0))
		fd_close(fifo.end);
	if (unlikely(fifo.other >= 0))
		fd_close(fifo.other);
	errno = saved;
}

/* "c" among the first letters: no cancellation point (libio/fileops.c, _IO_new_file_fopen). */
static bool is_point(const char *mode)
{
	enum { LETTERS = 7 };
	return mode && memchr(mode, 'c', strnlen(mode, LETTERS)) == NULL;
}

FILE *patch_fopen(const char *path, const char *mode)
{
	if (likely(!streams_ours))
		return real.fopen(path, mode);
	struct fifo fifo;
	bool held = false;
	if (is_point(mode))
		io_cancellation_point();
	else
		held = patch_cancel_hold();
	bool opens = open_fifo(&fifo, path, mode);
	patch_cancel_let(held);
	if (!opens)
		return NULL;
	FILE *f = real.fopen(path, mode);
	close_fifo(fifo);
	return f;
}
EXPORT(fopen);
EXPORT_AS(fopen64, fopen);
EXPORT_AS(_IO_fopen, fopen);

FILE *patch_setmntent(const char *path, const char *mode)
{
	struct fifo fifo = {-1, -1};
	if (streams_ours && !open_fifo(&fifo, path, mode))
		return NULL;
	FILE *f = real.setmntent(path, mode);
	close_fifo(fifo);
	return f;
}
EXPORT(setmntent);
EXPORT_AS(__setmntent, setmntent);

/* The stream's number goes; it, or another, comes back by an open inside libc, of which nothing was known. */
FILE *patch_freopen(const char *path, const char *mode, FILE *f)
{
	if (likely(!streams_ours))
		return real.freopen(path, mode, f);
	if (is_point(mode))
		io_cancellation_point();
	STREAM_TURN(f);
	real.fflush(f); /* libc's own does not care for errors either */
	struct fifo fifo;
	bool opens = open_fifo(&fifo, path, mode);
	int saved = errno, fd = f->_fileno;
	fd_goes(fd);
	errno = saved;
	/* What cannot be opened is closed all the same: nothing is called "". */
	FILE *again = real.freopen(opens ? path : "", mode, f);
	fd_gone(fd);
	if (!opens)
		errno = saved;
	close_fifo(fifo);
	return again;
}
EXPORT(freopen);
EXPORT_AS(freopen64, freopen);

/* Under libc's names of its parts. */
FILE *patch__IO_file_fopen(FILE *f, const char *path, const char *mode, int large)
{
	if (likely(!streams_ours))
		return real._IO_file_fopen(f, path, mode, large);
	struct fifo fifo;
	if (!open_fifo(&fifo, path, mode))
		return NULL;
	FILE *opened = real._IO_file_fopen(f, path, mode, large);
	close_fifo(fifo);
	return opened;
}
EXPORT(_IO_file_fopen);

FILE *patch__IO_file_open(FILE *f, const char *path, int flags, int mode, int way, int large)
{
	if (likely(!streams_ours))
		return real._IO_file_open(f, path, flags, mode, way, large);
	struct fifo fifo;
	if (!open_fifo_by(&fifo, path, flags))
		return NULL;
	FILE *opened = real._IO_file_open(f, path, flags, mode, way, large);
	close_fifo(fifo);
	return opened;
}
EXPORT(_IO_file_open);
