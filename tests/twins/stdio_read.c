/* Every function that reads bytes, from a pipe and from a socket, in pieces that must be waited for. */
#include "streams.h"

#include <dlfcn.h>

char *__fgets_chk(char *to, size_t room, int n, FILE *f);
size_t __fread_chk(void *to, size_t room, size_t size, size_t n, FILE *f);
char *_IO_fgets(char *to, int n, FILE *f);
int _IO_peekc_locked(FILE *f);
ssize_t __getdelim(char **line, size_t *room, int end, FILE *f);

static char line[100];

static void read_fgetc(void)
{
	int a = fgetc(in), b = fgetc(in);
	printf("%c%c", a, b);
}

static void read_getc(void)
{
	int a = (getc)(in), b = (getc)(in);
	printf("%c%c", a, b);
}

static void read_getchar(void)
{
	int a = (getchar)(), b = (getchar)();
	printf("%c%c", a, b);
}

static void read_fgets(void)
{
	check(fgets(line, sizeof line, in) == line);
	printf("%.*s", (int)strcspn(line, "\n"), line);
}

static void read_IO_fgets(void)
{
	check(_IO_fgets(line, sizeof line, in) == line);
	printf("%.*s", (int)strcspn(line, "\n"), line);
}

static void read_fgets_chk(void)
{
	check(__fgets_chk(line, sizeof line, sizeof line, in) == line);
	printf("%.*s", (int)strcspn(line, "\n"), line);
}

static void read_gets(void)
{
	/* Not by name: the linker warns of it. */
	char *(*gets)(char *) = (char *(*)(char *))dlsym(RTLD_DEFAULT, "gets");
	check(gets(line) == line);
	printf("%s", line);
}

static void read_gets_chk(void)
{
	char *(*gets_chk)(char *, size_t) = (char *(*)(char *, size_t))dlsym(RTLD_DEFAULT, "__gets_chk");
	check(gets_chk(line, sizeof line) == line);
	printf("%s", line);
}

static void read_fread(void)
{
	printf("%zu ", fread(line, 4, 2, in));
	printf("%.8s", line);
}

static void read_fread_chk(void)
{
	printf("%zu ", __fread_chk(line, sizeof line, 1, 8, in));
	printf("%.8s", line);
}

static void read_getline(void)
{
	char *text = NULL;
	size_t room = 0;
	printf("%zd ", getline(&text, &room, in));
	printf("%.*s", (int)strcspn(text, "\n"), text);
	free(text);
}

static void read_getdelim(void)
{
	char *text = NULL;
	size_t room = 0;
	printf("%zd ", getdelim(&text, &room, ';', in));
	printf("%s ", text);
	printf("%zd ", __getdelim(&text, &room, ';', in));
	printf("%s", text);
	free(text);
}

static void read_getw(void)
{
	int w = getw(in);
	printf("%.4s", (const char *)&w);
}

static void read_peek(void)
{
	int a = _IO_peekc_locked(in), b = fgetc(in);
	printf("%c%c", a, b);
}

static void read_ungetc(void)
{
	int a = fgetc(in);
	check(ungetc('x', in) == 'x');
	int b = fgetc(in), c = fgetc(in);
	printf("%c%c%c", a, b, c);
}

/* Lines across the end of the stream's buffer, of a length that is no part of it. */
static void read_many(void)
{
	for (int i = 0; fgets(line, sizeof line, in) && strcmp(line, "end\n") != 0; i++)
		check(atoi(line) == i);
	printf("%s", strcmp(line, "end\n") == 0 ? "all" : "too few");
}

static void *write_many(void *arg)
{
	int fd = *(int *)arg;
	for (int i = 0; i < 20000; i++) {
		char text[40];
		int n = snprintf(text, sizeof text, "%d and some more\n", i);
		write_all(fd, text, (size_t)n);
	}
	write_all(fd, "end\n", 4);
	return NULL;
}

int main(void)
{
	static const struct reading all[] = {
		{"fgetc", read_fgetc, {"a", "b"}, false},
		{"getc", read_getc, {"a", "b"}, false},
		{"getchar", read_getchar, {"a", "b"}, true},
		{"fgets", read_fgets, {"half ", "a ", "line\n"}, false},
		{"_IO_fgets", read_IO_fgets, {"half ", "a ", "line\n"}, false},
		{"__fgets_chk", read_fgets_chk, {"half ", "a ", "line\n"}, false},
		{"gets", read_gets, {"half ", "a ", "line\n"}, true},
		{"__gets_chk", read_gets_chk, {"half ", "a ", "line\n"}, true},
		{"fread", read_fread, {"123", "45", "678"}, false},
		{"__fread_chk", read_fread_chk, {"123", "45", "678"}, false},
		{"getline", read_getline, {"half ", "a ", "line\n"}, false},
		{"getdelim", read_getdelim, {"one", ";tw", "o;"}, false},
		{"getw", read_getw, {"12", "34"}, false},
		{"_IO_peekc_locked", read_peek, {"p"}, false},
		{"ungetc", read_ungetc, {"a", "b"}, false},
	};
	feed_all(all, sizeof all / sizeof *all);

	int fd[2];
	pipe(fd);
	in = fdopen(fd[0], "r");
	pthread_t t = spawn(write_many, &fd[1]);
	report_threads();
	read_many();
	join(t);
	printf(" lines\n");
	return 0;
}
