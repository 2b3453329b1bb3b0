/* Flushing all streams.
 *
 * libc's own walks its list under the list's lock, which fopen and fclose want too, and writes meanwhile. So the list is noted down, and each stream
 * flushed by itself; if anybody else has run since, it is first looked up again. */
#include <stdlib.h>

#include "shim/stdio/stream.h"

enum { LINE_BUFFERED = 0x200, FEW = 64 }; /* libio.h: _IO_LINE_BUF */

int __overflow(FILE *f, int c);

/* libio.h, the beginning of struct _IO_wide_data. */
struct wide {
	wchar_t *read_ptr, *read_end, *read_base;
	wchar_t *write_base, *write_ptr;
};

static bool is_dirty(const FILE *f)
{
	const struct wide *w = (const struct wide *)(const void *)f->_wide_data;
	return f->_mode > 0 ? w->write_ptr > w->write_base : f->_IO_write_ptr > f->_IO_write_base;
}

/* The first n; how many there are. */
static size_t note_streams(FILE **at, size_t n)
{
	size_t there = 0;
	_IO_list_lock();
	for (stream_iterator i = _IO_iter_begin(); i != _IO_iter_end(); i = _IO_iter_next(i), there++)
		if (there < n)
			at[there] = _IO_iter_file(i);
	_IO_list_unlock();
	return there;
}

static bool exists(const FILE *f)
{
	bool found = false;
	_IO_list_lock();
	for (stream_iterator i = _IO_iter_begin(); i != _IO_iter_end() && !found; i = _IO_iter_next(i))
		found = _IO_iter_file(i) == f;
	_IO_list_unlock();
	return found;
}

static int flush_in_turn(FILE *f)
{
	struct stream_call call;
	stream_enter(&call, f);
	int r = is_dirty(f) ? __overflow(f, EOF) : 0;
	stream_leave(&call);
	return r;
}

static bool is_line_buffered(const FILE *f)
{
	return f->_flags & LINE_BUFFERED;
}

/* wanted NULL: each, and each one's turn is waited for, as libc takes the lock of each. */
static int flush_each(bool (*wanted)(const FILE *f))
{
	FILE *few[FEW], **all = few;
	size_t n = note_streams(few, FEW);
	int r = 0;
	if (n > FEW) {
		size_t room = n;
		all = malloc(room * sizeof *all);
		if (all == NULL)
			return EOF;
		n = note_streams(all, room);
		n = n < room ? n : room;
	}
	uint64_t yields = streams_yields;
	for (size_t i = 0; i < n; i++) {
		FILE *f = all[i];
		if ((streams_yields != yields && !exists(f)) || (wanted && !wanted(f)))
			continue;
		if (flush_in_turn(f) == EOF)
			r = EOF;
	}
	if (all != few)
		free(all);
	return r;
}

int streams_flush(void)
{
	return flush_each(streams_ending ? is_dirty : NULL);
}

int patch_fflush(FILE *f)
{
	if (likely(!streams_ours))
		return real.fflush(f);
	if (f == NULL)
		return streams_flush();
	STREAM_TURN(f);
	return real.fflush(f);
}
EXPORT(fflush);
EXPORT_AS(_IO_fflush, fflush);

int patch_fflush_unlocked(FILE *f)
{
	return f == NULL && streams_ours ? streams_flush() : real.fflush_unlocked(f);
}
EXPORT(fflush_unlocked);

int patch__IO_flush_all(void)
{
	return streams_ours ? streams_flush() : real._IO_flush_all();
}
EXPORT(_IO_flush_all);

void patch__flushlbf(void)
{
	if (streams_ours)
		flush_each(is_line_buffered);
	else
		real._flushlbf();
}
EXPORT(_flushlbf);
EXPORT_AS(_IO_flush_all_linebuffered, _flushlbf);

/* libio/genops.c, _IO_cleanup: it closes nothing, but flushes, and takes the buffers away. */
int patch_fcloseall(void)
{
	int r = streams_ours ? streams_flush() : 0;
	return real.fcloseall() == EOF ? EOF : r;
}
EXPORT(fcloseall);
