/* Functions that print and are no function of one stream: the text is made first. */
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "shim/libc/io.h"
#include "shim/libc/wait.h"
#include "shim/stdio/stream.h"

/* ---- dprintf ---- */

/* Of nothing: libc alone knows what it thinks of the descriptor. */
static int write_nothing(int fd, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int r = real.vdprintf(fd, format, ap);
	va_end(ap);
	return r;
}

/* libc's own uses a stream on its stack until 2.36, and its own write afterwards. */
static int write_text(int fd, char *text, int n)
{
	size_t done = 0, size = (size_t)n;
	ssize_t r = 0;
	int saved = errno;
	if (streams_ours && patch_green())
		io_cancellation_point();
	while (done < size && r >= 0) {
		struct iovec v = {text + done, size - done};
		r = io_may_wait(fd) ? io_write(fd, &v, 1) : IO_NEVER_BLOCKS;
		if (r == IO_NEVER_BLOCKS) {
			r = real.write(fd, v.iov_base, v.iov_len);
			r = r < 0 ? -errno : r;
		}
		done += r > 0 ? (size_t)r : 0;
	}
	free(text);
	if (size == 0)
		return write_nothing(fd, "");
	return io_result(r, saved) < 0 ? -1 : n;
}

int patch_vdprintf(int fd, const char *format, va_list ap)
{
	if (!streams_ours)
		return real.vdprintf(fd, format, ap);
	char *text;
	int n = vasprintf(&text, format, ap);
	return n < 0 ? n : write_text(fd, text, n);
}
EXPORT(vdprintf);

int __vasprintf_chk(char **text, int flag, const char *format, va_list ap);

int patch___vdprintf_chk(int fd, int flag, const char *format, va_list ap)
{
	if (!streams_ours)
		return real.__vdprintf_chk(fd, flag, format, ap);
	char *text;
	int n = __vasprintf_chk(&text, flag, format, ap);
	return n < 0 ? n : write_text(fd, text, n);
}
EXPORT(__vdprintf_chk);

/* ---- herror ---- */

/* resolv/herror.c: one writev. */
void patch_herror(const char *s)
{
	struct iovec v[] = {
		{(void *)s, s ? strlen(s) : 0},
		{(void *)": ", s && *s ? 2 : 0},
		{(void *)hstrerror(h_errno), strlen(hstrerror(h_errno))},
		{(void *)"\n", 1},
	};
	if (patch_writev(STDERR_FILENO, v, 4) < 0) {
		/* It has no result to say so. */
	}
}
EXPORT(herror);

/* ---- psiginfo ---- */

/* stdio-common/psiginfo.c: one write of libc's own, of less than what a pipe or terminal that says POLLOUT takes. */
void patch_psiginfo(const siginfo_t *info, const char *s)
{
	struct io_wait wait = {.fd = STDERR_FILENO, .way = GEV_WRITABLE, .timeout = GEV_NEVER};
	int saved = errno;
	if (streams_ours && io_may_wait(STDERR_FILENO))
		while (!io_ready(STDERR_FILENO, GEV_WRITABLE) && io_wait(&wait) == 0) {
		}
	errno = saved;
	real.psiginfo(info, s);
}
EXPORT(psiginfo);

/* ---- malloc_stats ---- */

/* malloc/malloc.c: it prints under a lock of malloc's, with which nobody may park, nor print into memory that must grow. */
void patch_malloc_stats(void)
{
	char text[8192] = "", buffer[BUFSIZ];
	FILE *memory = streams_ours ? fmemopen(text, sizeof text, "w") : NULL, *before = stderr;
	if (memory == NULL) {
		real.malloc_stats();
		return;
	}
	setvbuf(memory, buffer, _IOFBF, sizeof buffer);
	stderr = memory;
	real.malloc_stats();
	stderr = before;
	real.fclose(memory);
	patch_fputs(text, stderr);
}
EXPORT(malloc_stats);

/* ---- error ---- */

/* misc/error.c: libc's ends the process itself, in the midst of it; and it first flushes stdout. */
void stream_error(int status, int number, const char *file, unsigned line, const char *format, va_list ap)
{
	static void (*libc_error)(int, int, const char *, ...);
	static void (*libc_error_at_line)(int, int, const char *, unsigned, const char *, ...);
	char *text;
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	patch_fflush(stdout);
	{
		STREAM_TURN(stderr);
		if (file || line) {
			if (libc_error_at_line == NULL)
				libc_error_at_line = (void (*)(int, int, const char *, unsigned, const char *,
							       ...))patch_original("error_at_line");
			libc_error_at_line(0, number, file, line, "%s", text ? text : format);
		} else {
			if (libc_error == NULL)
				libc_error = (void (*)(int, int, const char *, ...))patch_original("error");
			libc_error(0, number, "%s", text ? text : format);
		}
	}
	free(text);
	if (status)
		exit(status);
}
