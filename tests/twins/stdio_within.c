/* The functions that take no lock, and libc's own names for the parts of a stream. */
#include "streams.h"

char *__fgets_unlocked_chk(char *to, size_t room, int n, FILE *f);
wchar_t *__fgetws_unlocked_chk(wchar_t *to, size_t room, int n, FILE *f);
size_t __fread_unlocked_chk(void *to, size_t room, size_t size, size_t n, FILE *f);
int __uflow(FILE *f);
int __underflow(FILE *f);
int __overflow(FILE *f, int c);
wint_t __wuflow(FILE *f);
wint_t __wunderflow(FILE *f);
wint_t __woverflow(FILE *f, wint_t c);
int _IO_file_underflow(FILE *f);
int _IO_file_overflow(FILE *f, int c);
int _IO_file_sync(FILE *f);
size_t _IO_file_xsputn(FILE *f, const void *from, size_t n);
off_t _IO_file_seekoff(FILE *f, off_t at, int from, int mode);
FILE *_IO_file_setbuf(FILE *f, char *buf, ssize_t n);
void _IO_file_finish(FILE *f, int unused);
int _IO_file_close_it(FILE *f);
ssize_t _IO_file_read(FILE *f, void *to, ssize_t n);
ssize_t _IO_file_write(FILE *f, const void *from, ssize_t n);
int _IO_file_close(FILE *f);
wint_t _IO_wfile_underflow(FILE *f);
wint_t _IO_wfile_overflow(FILE *f, wint_t c);
wint_t _IO_wfile_sync(FILE *f);
size_t _IO_wfile_xsputn(FILE *f, const void *from, size_t n);
off_t _IO_wfile_seekoff(FILE *f, off_t at, int from, int mode);
int _IO_do_write(FILE *f, const char *from, size_t n);
int _IO_wdo_write(FILE *f, const wchar_t *from, size_t n);
size_t _IO_getline(FILE *f, char *to, size_t n, int end, int keep);
size_t _IO_sgetn(FILE *f, void *to, size_t n);
ssize_t _IO_padn(FILE *f, int c, ssize_t n);

size_t _IO_getline_info(FILE *f, char *to, size_t n, int end, int keep, int *ended);
size_t _IO_default_xsgetn(FILE *f, void *to, size_t n);
int _IO_default_uflow(FILE *f);
size_t _IO_wdefault_xsgetn(FILE *f, void *to, size_t n);
wint_t _IO_wdefault_uflow(FILE *f);
size_t _IO_default_xsputn(FILE *f, const void *from, size_t n);
size_t _IO_wdefault_xsputn(FILE *f, const void *from, size_t n);
off64_t _IO_seekoff(FILE *f, off64_t at, int from, int mode);
off64_t _IO_seekpos(FILE *f, off64_t at, int mode);
int _IO_switch_to_get_mode(FILE *f);
int _IO_switch_to_wget_mode(FILE *f);
struct marker; /* libio.h, struct _IO_marker */
void _IO_init_marker(struct marker *m, FILE *f);
void _IO_init_wmarker(struct marker *m, FILE *f);

static void *marker[3];
static char line[100];
static wchar_t wide[100];

#define READ(name, statement)                                                                                          \
	static void read_##name(void)                                                                                  \
	{                                                                                                              \
		statement;                                                                                             \
	}
READ(getc, int a = (getc_unlocked)(in); int b = (getc_unlocked)(in); printf("%c%c", a, b))
READ(fgetc, int a = (fgetc_unlocked)(in); int b = (fgetc_unlocked)(in); printf("%c%c", a, b))
READ(getchar, int a = (getchar_unlocked)(); int b = (getchar_unlocked)(); printf("%c%c", a, b))
READ(fgets, check((fgets_unlocked)(line, 100, in)); printf("%.6s", line))
READ(fgets_chk, check(__fgets_unlocked_chk(line, 100, 100, in)); printf("%.6s", line))
READ(fread, check((fread_unlocked)(line, 1, 6, in) == 6); printf("%.6s", line))
READ(fread_chk, check(__fread_unlocked_chk(line, 100, 1, 6, in) == 6); printf("%.6s", line))
READ(uflow, int a = __uflow(in); int b = __uflow(in); printf("%c%c", a, b))
READ(underflow, int a = __underflow(in); int b = getc(in); printf("%c%c", a, b))
READ(file_underflow, fwide(in, -1); int a = _IO_file_underflow(in); int b = getc(in); printf("%c%c", a, b))
READ(getline, size_t n = _IO_getline(in, line, 99, '\n', 1); printf("%zu %.6s", n, line))
READ(sgetn, check(_IO_sgetn(in, line, 6) == 6); printf("%.6s", line))
READ(file_read, ssize_t n = _IO_file_read(in, line, 6); printf("%zd %c", n, *line))
READ(getline_info, int e = 0; size_t n = _IO_getline_info(in, line, 99, '\n', 1, &e); printf("%zu %.6s", n, line))
READ(default_xsgetn, check(_IO_default_xsgetn(in, line, 6) == 6); printf("%.6s", line))
READ(default_uflow, int a = _IO_default_uflow(in); int b = getc(in); printf("%c%c", a, b))
READ(wdefault_xsgetn, fwide(in, 1); check(_IO_wdefault_xsgetn(in, wide, 6) == 6); printf("%x", (unsigned)wide[5]))
READ(wdefault_uflow, fwide(in, 1); wint_t a = _IO_wdefault_uflow(in); wint_t b = getwc(in); printf("%x %x", a, b))
READ(getwc_alone, wint_t a = (getwc_unlocked)(in); wint_t b = (getwc_unlocked)(in); printf("%x %x", a, b))
READ(fgetwc, wint_t a = fgetwc_unlocked(in); wint_t b = (getwc_unlocked)(in); printf("%x %x", a, b))
READ(getwchar, wint_t a = (getwchar_unlocked)(); wint_t b = (getwchar_unlocked)(); printf("%x %x", a, b))
READ(fgetws, check((fgetws_unlocked)(wide, 100, in)); printf("%x %x", (unsigned)wide[0], (unsigned)wide[5]))
READ(fgetws_chk, check(__fgetws_unlocked_chk(wide, 100, 100, in)); printf("%x", (unsigned)wide[5]))
READ(wuflow, wint_t a = __wuflow(in); wint_t b = __wuflow(in); printf("%x %x", a, b))
READ(wunderflow, wint_t a = __wunderflow(in); wint_t b = getwc(in); printf("%x %x", a, b))
READ(wfile_underflow, fwide(in, 1); wint_t a = _IO_wfile_underflow(in); wint_t b = getwc(in); printf("%x %x", a, b))

/* As check, in an expression. */
#define must(condition) ((condition) ? (void)0 : failed(#condition))

static void failed(const char *what)
{
	fprintf(stderr, "not so: %s (errno %d)\n", what, errno);
	_exit(TWIN_CHECK_FAILED);
}

enum { MANY = 150000 };
static char room[2 * MANY];
static char block[MANY];
static wchar_t wide_block[MANY];

#define WRITE(name, times, statement)                                                                                  \
	static void write_##name(void)                                                                                 \
	{                                                                                                              \
		for (int i = 0; i < times; i++)                                                                        \
			statement;                                                                                     \
	}
WRITE(putc, MANY, must((putc_unlocked)('a' + i % 26, out) != EOF))
WRITE(fputc, MANY, must((fputc_unlocked)('a' + i % 26, out) != EOF))
WRITE(putchar, MANY, must((putchar_unlocked)('a' + i % 26) != EOF))
WRITE(fputs, MANY / 10, must((fputs_unlocked)("0123456789", out) != EOF))
WRITE(fwrite, 2, must((fwrite_unlocked)(block, 1, MANY, out) == MANY))
WRITE(overflow, 1000, (__overflow(out, 'a' + i % 26), must(fputs_unlocked(line, out) != EOF), _IO_padn(out, ' ', 200)))
WRITE(overflow_alone, MANY, must(__overflow(out, 'a' + i % 26) != EOF))
WRITE(file_overflow, 10000, (_IO_file_overflow(out, 'a' + i % 26), must(_IO_file_overflow(out, EOF) != EOF)))
WRITE(xsputn, 2, (fwide(out, -1), must(_IO_file_xsputn(out, block, MANY) == MANY)))
WRITE(sync, 2,
      (must(_IO_sgetn(out, line, 0) == 0), setvbuf(out, room, _IOFBF, sizeof room), fwrite(block, 1, MANY, out),
       must(_IO_file_sync(out) == 0)))
WRITE(do_write, 2, (fputc('x', out), fflush(out), must(_IO_do_write(out, block, MANY) == 0)))
WRITE(seekoff, 2,
      ((void)(i || setvbuf(out, room, _IOFBF, sizeof room)), fwrite(block, 1, MANY, out),
       _IO_file_seekoff(out, 0, SEEK_CUR, 3)))
WRITE(setbuf, 1,
      (setvbuf(out, room, _IOFBF, sizeof room), fwrite(block, 1, MANY, out), must(_IO_file_setbuf(out, NULL, 0))))
WRITE(file_write, 2, must(_IO_file_write(out, block, MANY) == MANY))
WRITE(putwc, MANY, must((i % 3 ? (putwc_unlocked) : (fputwc_unlocked))(L'a' + i % 26, out) != WEOF))
WRITE(fputws, MANY / 10, must((fputws_unlocked)(L"0123456789", out) >= 0))
WRITE(woverflow, 5000,
      (fwide(out, 1), __woverflow(out, L'a' + i % 26), must(_IO_wfile_overflow(out, WEOF) != 1),
       fputws_unlocked(L"some more text", out)))
WRITE(woverflow_alone, MANY, (fwide(out, 1), must(__woverflow(out, L'a' + i % 26) != WEOF)))
WRITE(wxsputn, 2, (fwide(out, 1), must(_IO_wfile_xsputn(out, wide_block, MANY) == MANY)))
WRITE(wsync, 2,
      (fputws(L"x", out), must(_IO_wfile_xsputn(out, wide_block, MANY) == MANY), must(_IO_wfile_sync(out) == 0)))
WRITE(wseekoff, 2, (fwide(out, 1), _IO_wfile_xsputn(out, wide_block, MANY), _IO_wfile_seekoff(out, 0, SEEK_CUR, 3)))
WRITE(wdo_write, 2, (fputwc(L'x', out), fflush(out), must(_IO_wdo_write(out, wide_block, MANY) == 0)))
WRITE(putwchar, MANY, must((putwchar_unlocked)(L'a' + i % 26) != WEOF))

/* What is in the buffer, more than there is room for behind it, goes out first. */
#define FLUSH(name, statement)                                                                                         \
	static void write_##name(void)                                                                                 \
	{                                                                                                              \
		setvbuf(out, room, _IOFBF, sizeof room);                                                               \
		must(fwrite(block, 1, MANY, out) == MANY);                                                             \
		statement;                                                                                             \
	}
#define FLUSH_WIDE(name, statement)                                                                                    \
	static void write_##name(void)                                                                                 \
	{                                                                                                              \
		setvbuf(out, room, _IOFBF, sizeof room);                                                               \
		fwide(out, 1);                                                                                         \
		must(_IO_wfile_xsputn(out, wide_block, MANY) == MANY);                                                 \
		statement;                                                                                             \
	}
WRITE(default_xsputn, 2, (fwide(out, -1), must(_IO_default_xsputn(out, block, MANY) == MANY)))
WRITE(wdefault_xsputn, 2, (fwide(out, 1), must(_IO_wdefault_xsputn(out, wide_block, MANY) == MANY)))
FLUSH(seekoff_it, must(_IO_seekoff(out, 0, SEEK_CUR, 3) == -1))
FLUSH(seekpos, must(_IO_seekpos(out, 0, 3) == -1))
FLUSH(get_mode, must(_IO_switch_to_get_mode(out) == 0))
FLUSH(init_marker, _IO_init_marker((struct marker *)(void *)marker, out))
FLUSH_WIDE(wget_mode, must(_IO_switch_to_wget_mode(out) == 0))
FLUSH_WIDE(init_wmarker, _IO_init_wmarker((struct marker *)(void *)marker, out))

static void write_close_it(void)
{
	setvbuf(out, room, _IOFBF, sizeof room);
	fwrite(block, 1, MANY, out);
	check(_IO_file_close_it(out) == 0);
	out = fopen("/dev/null", "w");
}

static void write_finish(void)
{
	setvbuf(out, room, _IOFBF, sizeof room);
	fwrite(block, 1, MANY, out);
	_IO_file_finish(out, 0);
	out = fopen("/dev/null", "w");
}

static void write_close(void)
{
	fwrite(block, 1, MANY, out);
	fflush(out);
	check(_IO_file_close(out) == 0);
	out->_fileno = open("/dev/null", O_WRONLY);
}

static void *report(void *arg)
{
	report_threads();
	return arg;
}

int main(void)
{
#define R(name)                                                                                                        \
	{                                                                                                              \
#name, read_##name, {"one", "two\n" }, false                                                           \
	}
	static const struct reading readings[] = {
		R(getc),
		R(fgetc),
		R(fgets),
		R(fgets_chk),
		R(fread),
		R(fread_chk),
		R(uflow),
		R(underflow),
		R(file_underflow),
		R(getline),
		R(sgetn),
		R(getline_info),
		R(default_xsgetn),
		R(default_uflow),
		R(wdefault_xsgetn),
		R(wdefault_uflow),
		R(getwc_alone),
		R(fgetwc),
		R(fgetws),
		R(fgetws_chk),
		R(wuflow),
		R(wunderflow),
		R(wfile_underflow),
		{"file_read", read_file_read, {"x"}, false},
		{"getchar", read_getchar, {"one"}, true},
	};
	static const struct reading wide_stdin[] = {{"getwchar", read_getwchar, {"one"}, true}};
#define V(name)                                                                                                        \
	{                                                                                                              \
#name, write_##name, false                                                                             \
	}
	static const struct writing writings[] = {
		V(putc),
		V(fputc),
		V(fputs),
		V(fwrite),
		V(overflow),
		V(overflow_alone),
		V(file_overflow),
		V(xsputn),
		V(sync),
		V(do_write),
		V(seekoff),
		V(setbuf),
		V(file_write),
		V(putwc),
		V(fputws),
		V(woverflow),
		V(woverflow_alone),
		V(wxsputn),
		V(wsync),
		V(wseekoff),
		V(default_xsputn),
		V(wdefault_xsputn),
		V(seekoff_it),
		V(seekpos),
		V(get_mode),
		V(init_marker),
		V(wget_mode),
		V(init_wmarker),
		V(wdo_write),
		V(close_it),
		V(finish),
		V(close),
		{"putchar", write_putchar, true},
	};
	static const struct writing wide_stdout[] = {{"putwchar", write_putwchar, true}};
	memset(block, 'b', sizeof block);
	for (int i = 0; i < MANY; i++)
		wide_block[i] = L'a' + i % 26;
	feed_all(readings, sizeof readings / sizeof *readings);
	check(freopen("/dev/null", "r", stdin) != NULL); /* without an orientation again */
	feed_all(wide_stdin, 1);
	empty_all(writings, sizeof writings / sizeof *writings);
	join(spawn(report, NULL));
	fflush(stdout);
	check(freopen("/dev/fd/1", "a", stdout) != NULL);
	empty_all(wide_stdout, 1);
	return 0;
}
