/* Every function that writes bytes, more of them than a pipe or a socket takes, to a reader that looks at each. */
#include "streams.h"

#include <malloc.h>

int _IO_putc(int c, FILE *f);
int _IO_puts(const char *s);
int _IO_fputs(const char *s, FILE *f);
size_t _IO_fwrite(const void *from, size_t size, size_t n, FILE *f);

enum { MANY = 300000 };

static void write_fputc(void)
{
	for (int i = 0; i < MANY; i++)
		check(fputc('a' + i % 26, out) != EOF);
}

static void write_putc(void)
{
	for (int i = 0; i < MANY; i++)
		check((i & 1 ? (putc) : _IO_putc)('a' + i % 25, out) != EOF);
}

static void write_unbuffered(void)
{
	setvbuf(out, NULL, _IONBF, 0);
	for (int i = 0; i < 10000; i++)
		check(fputc('a' + i % 26, out) != EOF);
	for (int i = 0; i < 3000; i++)
		check(fputs("some text of a hundred bytes or so, so that the pipe is full before it ends\n", out) >= 0);
}

static void write_lines(void)
{
	setvbuf(out, NULL, _IOLBF, 100);
	for (int i = 0; i < 10000; i++)
		check(fprintf(out, "line %d\nand half", i) > 0);
}

static void write_fputs(void)
{
	for (int i = 0; i < MANY / 10; i++)
		check((i & 1 ? (fputs) : _IO_fputs)("0123456789", out) >= 0);
}

static void write_fwrite(void)
{
	static char block[200000];
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (char)(i % 251);
	check(fwrite(block, 1, sizeof block, out) == sizeof block);
	check(_IO_fwrite(block, 1000, 200, out) == 200);
	check(fwrite(block, 1, 10, out) == 10);
}

static void write_putw(void)
{
	for (int i = 0; i < MANY / 4; i++)
		check(putw(i, out) == 0);
}

static void write_putchar(void)
{
	for (int i = 0; i < MANY; i++)
		check((putchar)('a' + i % 26) != EOF);
}

static void write_puts(void)
{
	for (int i = 0; i < MANY / 10; i++)
		check((i & 1 ? (puts) : _IO_puts)("0123456789") >= 0);
}

/* What it says is not the same in two runs; so only that the end comes through. */
static void *write_info(void *arg)
{
	for (int i = 0; i < 200; i++)
		check(malloc_info(0, out) == 0);
	check(fclose(out) == 0);
	return NULL;
}

int main(void)
{
	static const struct writing all[] = {
		{"fputc", write_fputc, false},
		{"putc", write_putc, false},
		{"unbuffered", write_unbuffered, false},
		{"lines", write_lines, false},
		{"fputs", write_fputs, false},
		{"fwrite", write_fwrite, false},
		{"putw", write_putw, false},
		{"putchar", write_putchar, true},
		{"puts", write_puts, true},
	};
	empty_all(all, sizeof all / sizeof *all);

	int fd[2];
	char last[9] = "";
	check(pipe(fd) == 0);
	out = fdopen(fd[1], "w");
	pthread_t t = spawn(write_info, NULL);
	report_threads();
	for (char c; read(fd[0], &c, 1) == 1;) {
		memmove(last, last + 1, 8);
		last[7] = c;
	}
	join(t);
	printf("malloc_info: ...%s", last);
	return 0;
}
