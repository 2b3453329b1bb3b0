/* A stream in which a thread waits for the rest of its line: who reads from it, writes to it or flushes it waits until he has it, and gets what comes
 * after it. (stdio_state has those that look at it or move about in it.) What needs no lock does not wait. */
#include "streams.h"

#include <pwd.h>

char *__fgets_chk(char *to, size_t room, int n, FILE *f);
size_t __fread_chk(void *to, size_t room, size_t size, size_t n, FILE *f);
int __fprintf_chk(FILE *f, int flag, const char *format, ...);
int __vfprintf_chk(FILE *f, int flag, const char *format, va_list ap);
int _IO_getc(FILE *f);
int _IO_putc(int c, FILE *f);
int _IO_peekc_locked(FILE *f);

static char text[100], *made;
static size_t room;
static wchar_t wide[100];
static struct passwd account;
static struct passwd *found;

static int by_list(int which, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int r = which == 0 ? vfprintf(in, format, ap)
	      : which == 1 ? __vfprintf_chk(in, 1, format, ap)
			   : vfscanf(in, format, ap);
	va_end(ap);
	return r;
}

#define WANT(name, good)                                                                                               \
	static void want_##name(void)                                                                                  \
	{                                                                                                              \
		check(good);                                                                                           \
	}
WANT(fgetc, (fgetc)(in) == 'x')
WANT(getc, (getc)(in) == 'x')
WANT(IO_getc, _IO_getc(in) == 'x')
WANT(peekc, _IO_peekc_locked(in) == 'x')
WANT(getw, getw(in) == 0x78787878)
WANT(fgets, (fgets)(text, 100, in) && strcmp(text, "xyz\n") == 0)
WANT(fgets_chk, __fgets_chk(text, 100, 100, in) && strcmp(text, "xyz\n") == 0)
WANT(fread, (fread)(text, 2, 2, in) == 2 && memcmp(text, "xyz\n", 4) == 0)
WANT(fread_chk, __fread_chk(text, 100, 1, 4, in) == 4 && memcmp(text, "xyz\n", 4) == 0)
WANT(getline, (getline)(&made, &room, in) == 4 && strcmp(made, "xyz\n") == 0)
WANT(getdelim, getdelim(&made, &room, 'z', in) == 3 && strcmp(made, "xyz") == 0)
WANT(fscanf, fscanf(in, "%99[a-z]\n", text) == 1 && strcmp(text, "xyz") == 0)
WANT(vfscanf, by_list(2, "%99[a-z]\n", text) == 1 && strcmp(text, "xyz") == 0)
WANT(fgetpwent_r, fgetpwent_r(in, &account, text, 100, &found) == 0 && account.pw_uid == 7)
/* It is a narrow one, they find when it is their turn. */
WANT(fgetwc, fgetwc(in) == WEOF)
WANT(fgetws, fgetws(wide, 100, in) == NULL)
WANT(fputwc, fputwc(L'x', in) == WEOF)
WANT(fputws, fputws(L"x", in) == -1)
WANT(fputc, (fputc)('x', in) == 'x')
WANT(putc, (putc)('x', in) == 'x')
WANT(IO_putc, _IO_putc('x', in) == 'x')
WANT(putw, putw(1, in) == 0)
WANT(fwrite, (fwrite)("xyz", 1, 3, in) == 3)
WANT(fprintf, (fprintf)(in, "%d", 7) == 1)
WANT(fprintf_chk, __fprintf_chk(in, 1, "%d", 7) == 1)
WANT(vfprintf, by_list(0, "%d", 7) == 1)
WANT(vfprintf_chk, by_list(1, "%d", 7) == 1)
WANT(fflush, (fflush)(in) == 0)
WANT(fflush_all, (fflush)(NULL) == 0)
WANT(ftrylockfile, ftrylockfile(in) != 0)
WANT(fileno, (fileno)(in) > 2)
WANT(feof_unlocked, !(feof_unlocked)(in))

int main(void)
{
#define W(name, ...)                                                                                                   \
	{                                                                                                              \
#name, want_##name, __VA_ARGS__                                                                        \
	}
	static const struct wanting all[] = {
		W(fgetc, "x"),         W(getc, "x"),           W(IO_getc, "x"),
		W(peekc, "x"),         W(getw, "xxxx"),        W(fgets, "xyz\n"),
		W(fgets_chk, "xyz\n"), W(fread, "xyz\n"),      W(fread_chk, "xyz\n"),
		W(getline, "xyz\n"),   W(getdelim, "xyz"),     W(fscanf, "xyz\nx"),
		W(vfscanf, "xyz\nx"),  W(fgetwc, NULL),        W(fgetpwent_r, "name:x:7:7::/:/bin/sh\n"),
		W(fgetws, NULL),       W(fputwc, NULL),        W(fputws, NULL),
		W(fputc, NULL),        W(putc, NULL),          W(IO_putc, NULL),
		W(putw, NULL),         W(fwrite, NULL),        W(fprintf, NULL),
		W(fprintf_chk, NULL),  W(vfprintf, NULL),      W(vfprintf_chk, NULL),
		W(fflush, NULL),       W(fflush_all, NULL),    W(ftrylockfile, NULL),
		W(fileno, NULL),       W(feof_unlocked, NULL),
	};
	sem_init(&here, 0, 0);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		want(&all[i]);
	free(made);
	pthread_t t = spawn(parked_until, &here);
	report_threads();
	sem_post(&here);
	join(t);
	return 0;
}
