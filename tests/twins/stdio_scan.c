/* The scanf family: numbers and words whose parts come one by one. */
#include "streams.h"

int __isoc99_fscanf(FILE *f, const char *format, ...);
int __isoc99_scanf(const char *format, ...);
int __isoc99_vfscanf(FILE *f, const char *format, va_list ap);
int __isoc99_vscanf(const char *format, va_list ap);
int __isoc99_fwscanf(FILE *f, const wchar_t *format, ...);
int __isoc99_wscanf(const wchar_t *format, ...);
int __isoc99_vfwscanf(FILE *f, const wchar_t *format, va_list ap);
int __isoc99_vwscanf(const wchar_t *format, va_list ap);
int old_fscanf(FILE *f, const char *format, ...) __asm__("fscanf");
int old_scanf(const char *format, ...) __asm__("scanf");
int old_vfscanf(FILE *f, const char *format, va_list ap) __asm__("vfscanf");
int old_vscanf(const char *format, va_list ap) __asm__("vscanf");
int old_fwscanf(FILE *f, const wchar_t *format, ...) __asm__("fwscanf");
int old_wscanf(const wchar_t *format, ...) __asm__("wscanf");
int old_vfwscanf(FILE *f, const wchar_t *format, va_list ap) __asm__("vfwscanf");
int old_vwscanf(const wchar_t *format, va_list ap) __asm__("vwscanf");
int __vfscanf(FILE *f, const char *format, va_list ap);
/* libc keeps it for old programs: no new one can be linked with it. */

static int number;
static char word[20];

static void say(int n)
{
	printf("%d fields, %d %s", n, number, word);
	number = 0;
	word[0] = '\0';
}

/* Each with the rest of the line, so that the next one begins anew. */
#define F "%d %19s"

#define THROUGH(name, call)                                                                                            \
	static int through_##name(const char *format, ...)                                                             \
	{                                                                                                              \
		va_list ap;                                                                                            \
		va_start(ap, format);                                                                                  \
		int n = call;                                                                                          \
		va_end(ap);                                                                                            \
		return n;                                                                                              \
	}
#define THROUGH_WIDE(name, call)                                                                                       \
	static int through_##name(const wchar_t *format, ...)                                                          \
	{                                                                                                              \
		va_list ap;                                                                                            \
		va_start(ap, format);                                                                                  \
		int n = call;                                                                                          \
		va_end(ap);                                                                                            \
		return n;                                                                                              \
	}
THROUGH(vfscanf, old_vfscanf(in, format, ap))
THROUGH(__vfscanf, __vfscanf(in, format, ap))
THROUGH(vscanf, old_vscanf(format, ap))
THROUGH(c99_vfscanf, __isoc99_vfscanf(in, format, ap))
THROUGH(c99_vscanf, __isoc99_vscanf(format, ap))
THROUGH_WIDE(vfwscanf, old_vfwscanf(in, format, ap))
THROUGH_WIDE(vwscanf, old_vwscanf(format, ap))
THROUGH_WIDE(c99_vfwscanf, __isoc99_vfwscanf(in, format, ap))
THROUGH_WIDE(c99_vwscanf, __isoc99_vwscanf(format, ap))

#define SCAN(name, call)                                                                                               \
	static void scan_##name(void)                                                                                  \
	{                                                                                                              \
		say(call);                                                                                             \
	}
SCAN(fscanf, old_fscanf(in, F, &number, word))
SCAN(scanf, old_scanf(F, &number, word))
SCAN(vfscanf, through_vfscanf(F, &number, word))
SCAN(__vfscanf, through___vfscanf(F, &number, word))
SCAN(vscanf, through_vscanf(F, &number, word))
SCAN(c99_fscanf, __isoc99_fscanf(in, F, &number, word))
SCAN(c99_scanf, __isoc99_scanf(F, &number, word))
SCAN(c99_vfscanf, through_c99_vfscanf(F, &number, word))
SCAN(c99_vscanf, through_c99_vscanf(F, &number, word))
SCAN(fwscanf, old_fwscanf(in, L"%d %19s", &number, word))
SCAN(vfwscanf, through_vfwscanf(L"%d %19s", &number, word))
SCAN(c99_fwscanf, __isoc99_fwscanf(in, L"%d %19s", &number, word))
SCAN(c99_vfwscanf, through_c99_vfwscanf(L"%d %19s", &number, word))
SCAN(wscanf, old_wscanf(L"%d %19s", &number, word))
SCAN(vwscanf, through_vwscanf(L"%d %19s", &number, word))
SCAN(c99_wscanf, __isoc99_wscanf(L"%d %19s", &number, word))
SCAN(c99_vwscanf, through_c99_vwscanf(L"%d %19s", &number, word))

static void *write_numbers(void *arg)
{
	FILE *to = fdopen(*(int *)arg, "w");
	for (int i = 0; i < 30000; i++)
		fprintf(to, "%d:%d,", i, i * 7);
	fclose(to);
	return NULL;
}

int main(void)
{
#define PIECES                                                                                                         \
	{                                                                                                              \
		"12", "34 w", "ord\n"                                                                                  \
	}
	static const struct reading all[] = {
		{"fscanf", scan_fscanf, PIECES, false},
		{"vfscanf", scan_vfscanf, PIECES, false},
		{"__vfscanf", scan___vfscanf, PIECES, false},
		{"__isoc99_fscanf", scan_c99_fscanf, PIECES, false},
		{"__isoc99_vfscanf", scan_c99_vfscanf, PIECES, false},
		{"fwscanf", scan_fwscanf, PIECES, false},
		{"vfwscanf", scan_vfwscanf, PIECES, false},
		{"__isoc99_fwscanf", scan_c99_fwscanf, PIECES, false},
		{"__isoc99_vfwscanf", scan_c99_vfwscanf, PIECES, false},
		{"scanf", scan_scanf, PIECES, true},
		{"vscanf", scan_vscanf, PIECES, true},
		{"__isoc99_scanf", scan_c99_scanf, PIECES, true},
		{"__isoc99_vscanf", scan_c99_vscanf, PIECES, true},
	};
	static const struct reading wide[] = {
		{"wscanf", scan_wscanf, PIECES, true},
		{"vwscanf", scan_vwscanf, PIECES, true},
		{"__isoc99_wscanf", scan_c99_wscanf, PIECES, true},
		{"__isoc99_vwscanf", scan_c99_vwscanf, PIECES, true},
	};
	feed_all(all, sizeof all / sizeof *all);
	check(freopen("/dev/null", "r", stdin) != NULL && fileno(stdin) == 0); /* without an orientation again */
	feed_all(wide, sizeof wide / sizeof *wide);

	int fd[2], i, a, b;
	check(pipe(fd) == 0);
	in = fdopen(fd[0], "r");
	pthread_t t = spawn(write_numbers, &fd[1]);
	report_threads();
	for (i = 0; fscanf(in, "%d:%d,", &a, &b) == 2; i++)
		check(a == i && b == i * 7);
	join(t);
	printf("%d pairs across the ends of buffers\n", i);
	return 0;
}
