/* Random operations on one FILE by two to eight threads at once: stdio_random SEED LINES. Rounds of up to a few hundred lines, over a pipe, a socket or a
 * terminal, narrow or wide, in every mode of buffering; each round the threads all write, or all read, each by a function of stdio that is drawn for
 * each line; handlers of signals run meanwhile. What was written or read is the same in each run: every line whole, once, and each writer's lines in their
 * order. */
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <termios.h>
#include <wchar.h>

#include "twin.h"

enum { THREADS = 8, MOST = 400 };

struct chance {
	uint64_t state;
};

static unsigned pick(struct chance *c, unsigned n)
{
	c->state = c->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(c->state >> 33) % n;
}

static struct worker {
	pthread_t thread;
	struct chance chance;
	unsigned number;
} workers[THREADS];

/* The round. */
static FILE *stream;
static bool wide;
static unsigned threads, lines; /* lines: of each writer */
static int raw;                 /* the other end */
static unsigned seen[THREADS];  /* how many of each writer's lines have come */
static unsigned whole, torn, disordered;
static unsigned busy; /* atomic: writers that have not ended */
static pthread_mutex_t tally = PTHREAD_MUTEX_INITIALIZER;
static bool ordered; /* one reads */
static sem_t go;
static int handled; /* atomic */

/* ---- Lines: "writer line àààà...\n", of a length that everybody knows ---- */

static size_t compose(char *to, unsigned writer, unsigned line)
{
	size_t n = (size_t)sprintf(to, "%u %u ", writer, line);
	for (unsigned fill = (writer * 7919 + line * 104729) % 1000003 % 150; fill > 0; fill--, n += 2)
		memcpy(to + n, "\xc3\xa0", 2);
	memcpy(to + n, "\n", 2);
	return n + 1;
}

static void note(const char *text)
{
	char good[MOST];
	unsigned writer, line;
	pthread_mutex_lock(&tally);
	if (sscanf(text, "%u %u", &writer, &line) != 2 || writer >= THREADS ||
	    (compose(good, writer, line), strcmp(good, text) != 0)) {
		torn++;
	} else {
		whole++;
		disordered += ordered && line != seen[writer];
		seen[writer]++;
	}
	pthread_mutex_unlock(&tally);
}

/* ---- Writing ---- */

static void by_va_list(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	check(vfprintf(stream, format, ap) > 0);
	va_end(ap);
}

/* Seldom: on a machine with other things to do a turn given away is long in coming back. */
static void give_way(struct chance *c)
{
	if (pick(c, 16) == 0)
		sched_yield();
}

static void lock(struct worker *w)
{
	if (pick(&w->chance, 4) || ftrylockfile(stream))
		flockfile(stream);
}

static void put(struct worker *w, const char *text, size_t n)
{
	switch (pick(&w->chance, 7)) {
	case 0:
		check(fputs(text, stream) >= 0);
		break;
	case 1:
		check(fwrite(text, 1, n, stream) == n);
		break;
	case 2:
		check(fprintf(stream, "%.*s\n", (int)n - 1, text) == (int)n);
		break;
	case 3:
		by_va_list("%s", text);
		break;
	case 4:
		lock(w);
		for (size_t i = 0; i < n; i++)
			check((putc_unlocked)(text[i], stream) != EOF);
		funlockfile(stream);
		break;
	case 5:
		lock(w);
		for (size_t i = 0; i < n; i++)
			check(fputc(text[i], stream) != EOF);
		funlockfile(stream);
		break;
	default:
		lock(w);
		check(fwrite_unlocked(text, 1, n / 2, stream) == n / 2);
		give_way(&w->chance);
		check(fputs(text + n / 2, stream) >= 0);
		funlockfile(stream);
	}
}

static void put_wide(struct worker *w, const char *text)
{
	wchar_t wtext[MOST];
	check(mbstowcs(wtext, text, MOST) < MOST);
	switch (pick(&w->chance, 4)) {
	case 0:
		check(fputws(wtext, stream) >= 0);
		break;
	case 1:
		check(fwprintf(stream, L"%ls", wtext) > 0);
		break;
	case 2:
		lock(w);
		for (const wchar_t *c = wtext; *c; c++)
			check((putwc_unlocked)(*c, stream) != WEOF);
		funlockfile(stream);
		break;
	default:
		lock(w);
		check(fputwc(*wtext, stream) != WEOF);
		give_way(&w->chance);
		check(fputws_unlocked(wtext + 1, stream) >= 0);
		funlockfile(stream);
	}
}

static void look(struct worker *w)
{
	switch (pick(&w->chance, 8)) {
	case 0:
		check(fflush(stream) == 0);
		break;
	case 1:
		check(fflush(NULL) == 0);
		break;
	case 2:
		check(!(ferror)(stream) && !(feof)(stream));
		break;
	case 3:
		check(fileno(stream) > 2);
		break;
	case 4:
		check(wide || (ftell(stream) == -1 && errno == ESPIPE));
		break;
	default:
		break;
	}
}

static void *write_lines(void *arg)
{
	struct worker *w = arg;
	char text[MOST];
	wait_for(&go);
	for (unsigned i = 0; i < lines; i++) {
		size_t n = compose(text, w->number, i);
		if (wide)
			put_wide(w, text);
		else
			put(w, text, n);
		look(w);
	}
	if (__atomic_sub_fetch(&busy, 1, __ATOMIC_SEQ_CST) == 0)
		check(fclose(stream) == 0);
	return NULL;
}

/* ---- Reading ---- */

/* A line, under the caller's lock. False: the end. */
static bool get_locked(struct worker *w, char *to)
{
	int c = getc(stream);
	size_t n = 0;
	if (c == EOF)
		return false;
	check(ungetc(c, stream) == c);
	if (pick(&w->chance, 2))
		return fgets_unlocked(to, MOST, stream) != NULL;
	while (n < MOST - 1 && (c = (getc_unlocked)(stream)) != EOF && (to[n++] = (char)c) != '\n')
		;
	to[n] = '\0';
	return true;
}

static bool get(struct worker *w, char *to)
{
	char *made = NULL;
	size_t room = 0;
	bool more;
	switch (pick(&w->chance, 5)) {
	case 0:
		return fgets(to, MOST, stream) != NULL;
	case 1:
	case 2:
		more = (pick(&w->chance, 2) ? getline(&made, &room, stream) : getdelim(&made, &room, '\n', stream)) > 0;
		if (more)
			snprintf(to, MOST, "%s", made);
		free(made);
		return more;
	case 3:
		more = fscanf(stream, "%398[^\n]%*1[\n]", to) == 1;
		if (more)
			strcat(to, "\n");
		return more;
	default:
		lock(w);
		more = get_locked(w, to);
		funlockfile(stream);
		return more;
	}
}

static bool get_wide(struct worker *w, char *to)
{
	wchar_t text[MOST] = L"";
	bool more = true;
	size_t n = 0;
	wint_t c;
	switch (pick(&w->chance, 3)) {
	case 0:
		more = fgetws(text, MOST, stream) != NULL;
		break;
	case 1:
		more = fwscanf(stream, L"%398l[^\n]%*1l[\n]", text) == 1;
		if (more)
			wcscat(text, L"\n");
		break;
	default:
		lock(w);
		c = getwc(stream);
		more = c != WEOF;
		if (more) {
			check(ungetwc(c, stream) == c);
			while (n < MOST - 1 && (c = (getwc_unlocked)(stream)) != WEOF &&
			       (text[n++] = (wchar_t)c) != L'\n')
				;
		}
		funlockfile(stream);
	}
	return more && wcstombs(to, text, MOST) < MOST;
}

static void *read_lines(void *arg)
{
	struct worker *w = arg;
	char text[MOST];
	wait_for(&go);
	while ((wide ? get_wide(w, text) : get(w, text)) && strcmp(text, "end\n") != 0)
		note(text);
	return NULL;
}

/* ---- The other end, by the descriptor ---- */

static void disturb(struct chance *c)
{
	if (pick(c, 4) == 0)
		check(pthread_kill(workers[pick(c, threads)].thread, SIGUSR1) == 0);
	give_way(c);
}

static void take_lines(struct chance *c)
{
	static char buf[5000], text[MOST];
	size_t at = 0;
	while (whole + torn < threads * lines) {
		ssize_t n = read(raw, buf, 1 + pick(c, sizeof buf));
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++) {
			if (at + 2 < MOST)
				text[at++] = buf[i];
			if (buf[i] != '\n')
				continue;
			text[at] = '\0';
			at = 0;
			note(text);
		}
		disturb(c);
	}
}

static void give(struct chance *c, const char *text, size_t n)
{
	while (n > 0) {
		size_t part = 1 + pick(c, (unsigned)n);
		write_all(raw, text, part);
		text += part;
		n -= part;
		disturb(c);
	}
}

static void give_lines(struct chance *c)
{
	static char all[20 * MOST];
	size_t n = 0;
	for (unsigned i = 0; i < lines; i++)
		for (unsigned k = 0; k < threads; k++) {
			n += compose(all + n, k, i);
			if (n + MOST < sizeof all && (i + 1 < lines || k + 1 < threads))
				continue;
			give(c, all, n);
			n = 0;
		}
	for (unsigned k = 0; k < threads; k++)
		write_all(raw, "end\n", 4);
}

/* ---- A round ---- */

/* fd[0] is the stream's. */
static void make(unsigned kind, bool reads, int fd[2])
{
	struct termios t;
	int two[2];
	if (kind == 0) {
		check(pipe(two) == 0);
		fd[reads ? 0 : 1] = two[0];
		fd[reads ? 1 : 0] = two[1];
	} else if (kind == 1) {
		stream_pair(fd);
	} else {
		fd[1] = posix_openpt(O_RDWR | O_NOCTTY);
		check(fd[1] >= 0 && grantpt(fd[1]) == 0 && unlockpt(fd[1]) == 0);
		fd[0] = open(ptsname(fd[1]), O_RDWR | O_NOCTTY);
		check(fd[0] >= 0 && tcgetattr(fd[0], &t) == 0);
		cfmakeraw(&t);
		check(tcsetattr(fd[0], TCSANOW, &t) == 0);
	}
}

static void handler(int sig)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

static void play(struct chance *c, unsigned number)
{
	static const char *const kinds[] = {"pipe", "socket", "terminal"}, *const modes[] = {"buffered", "by lines",
											     "not buffered"};
	static const int mode_of[] = {_IOFBF, _IOLBF, _IONBF};
	static char buffer[3000];
	unsigned kind = pick(c, 3), mode = pick(c, 3);
	bool reads = pick(c, 2);
	int fd[2];
	wide = pick(c, 3) == 0;
	threads = 2 + pick(c, THREADS - 1);
	lines = 1 + pick(c, 60);
	make(kind, reads, fd);
	raw = fd[1];
	stream = fdopen(fd[0], reads ? "r" : "w");
	check(stream != NULL && setvbuf(stream, buffer, mode_of[mode], 64 + pick(c, sizeof buffer - 64)) == 0);
	whole = torn = disordered = 0;
	memset(seen, 0, sizeof seen);
	ordered = !reads;
	busy = threads;
	for (unsigned i = 0; i < threads; i++) {
		workers[i].number = i;
		workers[i].chance.state = c->state + i;
		workers[i].thread = spawn(reads ? read_lines : write_lines, &workers[i]);
	}
	/* Before they begin: libc's fflush(NULL) keeps whoever opens a stream until the one it flushes has been emptied, which is what main is for. */
	if (number == 0)
		report_threads();
	for (unsigned i = 0; i < threads; i++)
		sem_post(&go);
	/* How often it is asked is a matter of timing. */
	struct chance other = {c->state + THREADS};
	if (reads)
		give_lines(&other);
	else
		take_lines(&other);
	for (unsigned i = 0; i < threads; i++)
		join(workers[i].thread);
	if (reads)
		check(fclose(stream) == 0);
	close(raw);
	printf("%s, %s, %s, %u threads %s %u lines each: %u whole, %u torn, %u out of order\n", kinds[kind],
	       wide ? "wide" : "narrow", modes[mode], threads, reads ? "read" : "write", lines, whole, torn,
	       disordered);
	check(whole == threads * lines && torn == 0 && disordered == 0);
}

int main(int argc, char **argv)
{
	struct chance c = {argc > 1 ? strtoull(argv[1], NULL, 10) : 1};
	long all = argc > 2 ? atol(argv[2]) : 1000;
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	sem_init(&go, 0, 0);
	check(sigaction(SIGUSR1, &action, NULL) == 0 && setlocale(LC_ALL, "C.UTF-8") != NULL);
	for (unsigned i = 0; all > 0; i++, all -= threads * lines)
		play(&c, i);
	return 0;
}
