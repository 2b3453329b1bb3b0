/* What looks at a stream or moves about in it waits until another thread has done with it, and flushes to a full pipe without stopping
 * the others. */
#include "streams.h"

#include <stdio_ext.h>

int _IO_feof(FILE *f);
int _IO_ferror(FILE *f);
void _IO_setbuffer(FILE *f, char *buf, size_t n);
int _IO_setvbuf(FILE *f, char *buf, int mode, size_t n);
int _IO_fgetpos(FILE *f, fpos_t *at);
int _IO_fsetpos(FILE *f, const fpos_t *at);
long _IO_ftell(FILE *f);
int _IO_ungetc(int c, FILE *f);

static fpos_t position;
static char buffer[1000];
static char room[300000];

#define WANT(name, statement)                                                                                          \
	static void want_##name(void)                                                                                  \
	{                                                                                                              \
		statement;                                                                                             \
	}
WANT(feof, check(!(feof)(in)))
WANT(IO_feof, check(!_IO_feof(in)))
WANT(ferror, check(!(ferror)(in)))
WANT(IO_ferror, check(!_IO_ferror(in)))
WANT(clearerr, (clearerr)(in))
WANT(ungetc, check((ungetc)('x', in) == 'x'))
WANT(ungetwc, check(ungetwc(WEOF, in) == WEOF))
WANT(flockfile, (flockfile(in), funlockfile(in)))
WANT(setvbuf, check(setvbuf(in, buffer, _IOFBF, sizeof buffer) == 0))
WANT(IO_setvbuf, check(_IO_setvbuf(in, NULL, _IONBF, 0) == 0))
WANT(setbuf, setbuf(in, NULL))
WANT(setbuffer, setbuffer(in, buffer, sizeof buffer))
WANT(IO_setbuffer, _IO_setbuffer(in, buffer, sizeof buffer))
WANT(setlinebuf, setlinebuf(in))
WANT(ftell, check(ftell(in) == -1 && errno == ESPIPE))
WANT(IO_ftell, check(_IO_ftell(in) == -1 && errno == ESPIPE))
WANT(ftello, check(ftello(in) == -1 && errno == ESPIPE))
WANT(fgetpos, check(fgetpos(in, &position) == -1 && errno == ESPIPE))
WANT(IO_fgetpos, check(_IO_fgetpos(in, &position) == -1 && errno == ESPIPE))
WANT(fsetpos, check(fsetpos(in, &position) == -1 && errno == ESPIPE))
WANT(IO_fsetpos, check(_IO_fsetpos(in, &position) == -1 && errno == ESPIPE))
WANT(fseek, check(fseek(in, 1, SEEK_SET) == -1 && errno == ESPIPE))
WANT(fseeko, check(fseeko(in, 1, SEEK_CUR) == -1 && errno == ESPIPE))
WANT(rewind, rewind(in))
WANT(fputs, check(fputs("x", in) >= 0 && fflush(in) == 0))

/* Each has more in the buffer than the pipe takes, and flushes it. */
static void fill_buffer(void)
{
	static char big[200000];
	memset(big, 'x', sizeof big);
	check(setvbuf(out, room, _IOFBF, sizeof room) == 0);
	check(fwrite(big, 1, sizeof big, out) == sizeof big);
}

#define FLUSH(name, statement)                                                                                         \
	static void flush_##name(void)                                                                                 \
	{                                                                                                              \
		fill_buffer();                                                                                         \
		statement;                                                                                             \
		printf(#name " has flushed: %zu left, at %ld\n", __fpending(out), ftell(out));                         \
		fflush(stdout);                                                                                        \
	}
FLUSH(fseek, (fseek)(out, 0, SEEK_CUR))
FLUSH(fseeko, (fseeko)(out, 0, SEEK_SET))
FLUSH(fsetpos, (fsetpos)(out, &position))
FLUSH(rewind, (rewind)(out))
FLUSH(fflush, (fflush)(out))
FLUSH(setvbuf, (setvbuf)(out, NULL, _IONBF, 0))

int main(void)
{
#define W(name)                                                                                                        \
	{                                                                                                              \
#name, want_##name, NULL                                                                               \
	}
	static const struct wanting all[] = {
		W(feof),       W(IO_feof), W(ferror),     W(IO_ferror),    W(clearerr),   W(ungetc), W(setvbuf),
		W(IO_setvbuf), W(setbuf),  W(setbuffer),  W(IO_setbuffer), W(setlinebuf), W(ftell),  W(IO_ftell),
		W(ftello),     W(fgetpos), W(IO_fgetpos), W(fsetpos),      W(IO_fsetpos), W(fseek),  W(fseeko),
		W(rewind),     W(fputs),   W(ungetwc),    W(flockfile),
	};
	sem_init(&here, 0, 0);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		want(&all[i]);

#define V(name)                                                                                                        \
	{                                                                                                              \
#name, flush_##name, false                                                                             \
	}
	static const struct writing flushes[] = {V(fseek), V(fseeko), V(fsetpos), V(rewind), V(fflush), V(setvbuf)};
	empty_all(flushes, sizeof flushes / sizeof *flushes);

	/* In a file they work as ever. */
	FILE *f = fopen("file", "w+");
	check(fputs("0123456789", f) >= 0 && fgetpos(f, &position) == 0 && ftell(f) == 10);
	check(fseek(f, -3, SEEK_END) == 0 && fgetc(f) == '7' && ftello(f) == 8);
	check(fsetpos(f, &position) == 0 && fgetc(f) == EOF && feof(f));
	rewind(f);
	check(!feof(f) && fgetc(f) == '0');
	fclose(f);
	check(remove("file") == 0);

	pthread_t t = spawn(parked_until, &here);
	report_threads();
	sem_post(&here);
	join(t);
	return 0;
}
