/* The printf family: to a slow reader, and from eight threads at once, whose lines must stay whole. */
#include "streams.h"

int __fprintf_chk(FILE *f, int flag, const char *format, ...);
int __printf_chk(int flag, const char *format, ...);
int __vfprintf_chk(FILE *f, int flag, const char *format, va_list ap);
int __vprintf_chk(int flag, const char *format, va_list ap);
int __fwprintf_chk(FILE *f, int flag, const wchar_t *format, ...);
int __vfwprintf_chk(FILE *f, int flag, const wchar_t *format, va_list ap);
int __wprintf_chk(int flag, const wchar_t *format, ...);
int __vwprintf_chk(int flag, const wchar_t *format, va_list ap);
int __dprintf_chk(int fd, int flag, const char *format, ...);
int __vdprintf_chk(int fd, int flag, const char *format, va_list ap);
int _IO_fprintf(FILE *f, const char *format, ...);
int _IO_printf(const char *format, ...);
int _IO_vfprintf(FILE *f, const char *format, va_list ap);

enum { MANY = 10000 };
#define F "%d and %s\n"
#define TEXT "thirty bytes of text, or nearly"

#define THROUGH(name, type, call)                                                                                      \
	static int through_##name(const type *format, ...)                                                             \
	{                                                                                                              \
		va_list ap;                                                                                            \
		va_start(ap, format);                                                                                  \
		int n = call;                                                                                          \
		va_end(ap);                                                                                            \
		return n;                                                                                              \
	}
THROUGH(vfprintf, char, vfprintf(out, format, ap))
THROUGH(IO_vfprintf, char, _IO_vfprintf(out, format, ap))
THROUGH(vfprintf_chk, char, __vfprintf_chk(out, 1, format, ap))
THROUGH(vprintf, char, vprintf(format, ap))
THROUGH(vprintf_chk, char, __vprintf_chk(1, format, ap))
THROUGH(vfwprintf, wchar_t, vfwprintf(out, format, ap))
THROUGH(vfwprintf_chk, wchar_t, __vfwprintf_chk(out, 1, format, ap))
THROUGH(vwprintf, wchar_t, vwprintf(format, ap))
THROUGH(vwprintf_chk, wchar_t, __vwprintf_chk(1, format, ap))
THROUGH(vdprintf, char, vdprintf(fileno(out), format, ap))
THROUGH(vdprintf_chk, char, __vdprintf_chk(fileno(out), 1, format, ap))

#define PRINT(name, call)                                                                                              \
	static void print_##name(void)                                                                                 \
	{                                                                                                              \
		for (int i = 0; i < MANY; i++)                                                                         \
			check(call > 35);                                                                              \
	}
PRINT(fprintf, (fprintf)(out, F, i, TEXT))
PRINT(IO_fprintf, _IO_fprintf(out, F, i, TEXT))
PRINT(fprintf_chk, __fprintf_chk(out, 1, F, i, TEXT))
PRINT(vfprintf, through_vfprintf(F, i, TEXT))
PRINT(IO_vfprintf, through_IO_vfprintf(F, i, TEXT))
PRINT(vfprintf_chk, through_vfprintf_chk(F, i, TEXT))
PRINT(printf, (printf)(F, i, TEXT))
PRINT(IO_printf, _IO_printf(F, i, TEXT))
PRINT(printf_chk, __printf_chk(1, F, i, TEXT))
PRINT(vprintf, through_vprintf(F, i, TEXT))
PRINT(vprintf_chk, through_vprintf_chk(F, i, TEXT))
PRINT(fwprintf, (fwprintf)(out, L"" F, i, TEXT))
PRINT(fwprintf_chk, __fwprintf_chk(out, 1, L"" F, i, TEXT))
PRINT(vfwprintf, through_vfwprintf(L"" F, i, TEXT))
PRINT(vfwprintf_chk, through_vfwprintf_chk(L"" F, i, TEXT))
PRINT(dprintf, (dprintf)(fileno(out), F, i, TEXT))
PRINT(dprintf_chk, __dprintf_chk(fileno(out), 1, F, i, TEXT))
PRINT(vdprintf, through_vdprintf(F, i, TEXT))
PRINT(vdprintf_chk, through_vdprintf_chk(F, i, TEXT))

/* stdout becomes a wide stream by it: it comes last. */
static void print_wide(void)
{
	for (int i = 0; i < MANY; i += 4) {
		check((wprintf)(L"" F, i, TEXT) > 35);
		check(__wprintf_chk(1, L"" F, i + 1, TEXT) > 35);
		check(through_vwprintf(L"" F, i + 2, TEXT) > 35);
		check(through_vwprintf_chk(L"" F, i + 3, TEXT) > 35);
	}
}

enum { THREADS = 8, LINES = 2000 };

static void *print_lines(void *arg)
{
	int me = (int)(intptr_t)arg;
	for (int i = 0; i < LINES; i++)
		check(fprintf(out, "%d %d %s %s %s end\n", me, i, TEXT, TEXT, TEXT) > 0);
	return NULL;
}

static pthread_t printers[THREADS];

static void *end_of_all(void *arg)
{
	for (int i = 0; i < THREADS; i++)
		join(printers[i]);
	check(fclose(out) == 0);
	return NULL;
}

/* By one who reads little at a time. */
static void print_from_all(void)
{
	int fd[2], last[THREADS], lines = 0, torn = 0;
	char line[300];
	size_t n = 0;
	check(pipe(fd) == 0);
	out = fdopen(fd[1], "w");
	for (int i = 0; i < THREADS; i++) {
		last[i] = -1;
		printers[i] = spawn(print_lines, (void *)(intptr_t)i);
	}
	report_threads();
	pthread_t end = spawn(end_of_all, NULL);
	char piece[700];
	for (ssize_t got; (got = read(fd[0], piece, sizeof piece)) > 0;)
		for (ssize_t k = 0; k < got; k++) {
			check(n < sizeof line - 1);
			line[n++] = piece[k];
			if (piece[k] != '\n')
				continue;
			int who, number, whole = 0;
			line[n] = '\0';
			sscanf(line, "%d %d " TEXT " " TEXT " " TEXT " end\n%n", &who, &number, &whole);
			if (whole != (int)n || number != last[who] + 1)
				torn++;
			else
				last[who] = number;
			n = 0;
			lines++;
		}
	join(end);
	printf("%d lines of %d threads, %d torn\n", lines, THREADS, torn);
	close(fd[0]);
}

int main(void)
{
	static const struct writing all[] = {
		{"fprintf", print_fprintf, false},
		{"_IO_fprintf", print_IO_fprintf, false},
		{"__fprintf_chk", print_fprintf_chk, false},
		{"vfprintf", print_vfprintf, false},
		{"_IO_vfprintf", print_IO_vfprintf, false},
		{"__vfprintf_chk", print_vfprintf_chk, false},
		{"printf", print_printf, true},
		{"_IO_printf", print_IO_printf, true},
		{"__printf_chk", print_printf_chk, true},
		{"vprintf", print_vprintf, true},
		{"__vprintf_chk", print_vprintf_chk, true},
		{"fwprintf", print_fwprintf, false},
		{"__fwprintf_chk", print_fwprintf_chk, false},
		{"vfwprintf", print_vfwprintf, false},
		{"__vfwprintf_chk", print_vfwprintf_chk, false},
		{"dprintf", print_dprintf, false},
		{"__dprintf_chk", print_dprintf_chk, false},
		{"vdprintf", print_vdprintf, false},
		{"__vdprintf_chk", print_vdprintf_chk, false},
	};
	empty_all(all, sizeof all / sizeof *all);
	print_from_all();

	fflush(stdout);
	check(freopen("/dev/fd/1", "a", stdout) != NULL); /* without an orientation again */
	static const struct writing last = {"wide to stdout", print_wide, true};
	empty_all(&last, 1);
	return 0;
}
