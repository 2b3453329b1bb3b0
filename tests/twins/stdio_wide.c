/* Wide characters, cut in the middle of one. */
#include "streams.h"

#include <locale.h>

wchar_t *__fgetws_chk(wchar_t *to, size_t room, int n, FILE *f);

static wchar_t line[100];

static void show_wide(const wchar_t *s)
{
	for (; *s; s++)
		printf("%x ", (unsigned)*s);
}

static void read_fgetwc(void)
{
	wchar_t s[] = {(wchar_t)fgetwc(in), (wchar_t)(getwc)(in), 0};
	show_wide(s);
}

static void read_fgetws(void)
{
	check(fgetws(line, 100, in) == line);
	show_wide(line);
}

static void read_fgetws_chk(void)
{
	check(__fgetws_chk(line, 100, 100, in) == line);
	show_wide(line);
}

static void read_ungetwc(void)
{
	wint_t a = fgetwc(in);
	check(ungetwc(L'x', in) == L'x');
	wchar_t s[] = {(wchar_t)a, (wchar_t)fgetwc(in), (wchar_t)fgetwc(in), 0};
	show_wide(s);
}

static void read_getwchar(void)
{
	wchar_t s[] = {(wchar_t)(getwchar)(), (wchar_t)(getwchar)(), 0};
	show_wide(s);
}

enum { MANY = 100000 };

static void write_fputwc(void)
{
	for (int i = 0; i < MANY; i++)
		check(fputwc(L'\u00e9', out) == L'\u00e9');
}

static void write_putwc(void)
{
	for (int i = 0; i < MANY; i++)
		check((putwc)((wchar_t)(0x100 + i % 1000), out) != WEOF);
}

static void write_fputws(void)
{
	for (int i = 0; i < MANY / 10; i++)
		check(fputws(L"z\u00e4hlen \u20ac\n", out) >= 0);
}

/* stdout becomes a wide stream by it: it comes last. */
static void write_putwchar(void)
{
	for (int i = 0; i < MANY; i++)
		check((putwchar)((wchar_t)(0x100 + i % 1000)) != WEOF);
}

static void *report(void *arg)
{
	report_threads();
	return arg;
}

int main(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	static const struct reading readings[] = {
		{"fgetwc", read_fgetwc, {"\xc3", "\xa9\xe2\x82", "\xac"}, false},
		{"fgetws", read_fgetws, {"z\xc3", "\xa4hlen \xe2\x82", "\xac\n"}, false},
		{"__fgetws_chk", read_fgetws_chk, {"z\xc3", "\xa4hlen \xe2\x82", "\xac\n"}, false},
		{"ungetwc", read_ungetwc, {"\xc3\xa9\xe2\x82", "\xac"}, false},
		{"getwchar", read_getwchar, {"\xc3", "\xa9\xe2\x82", "\xac"}, true},
	};
	static const struct writing writings[] = {
		{"fputwc", write_fputwc, false},
		{"putwc", write_putwc, false},
		{"fputws", write_fputws, false},
	};
	feed_all(readings, sizeof readings / sizeof *readings);
	empty_all(writings, sizeof writings / sizeof *writings);

	fflush(stdout);
	check(freopen("/dev/fd/1", "a", stdout) != NULL); /* without an orientation again */
	static const struct writing last = {"putwchar", write_putwchar, true};
	empty_all(&last, 1);
	join(spawn(report, NULL));
	return 0;
}
