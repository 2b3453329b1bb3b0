/* Real threads (GEV_NATIVE) and green ones write to the same streams, and read from the same streams: over a pipe, a socket and a file, in every mode of
 * buffering. Each line arrives whole, each thread's lines in their order, and none is lost or read twice. The streams fill up and run empty, so that both
 * kinds park inside of them. */
#include <sched.h>

#include "twin.h"

enum { WRITERS = 6, READERS = 6, LINES = 300, MOST = 400 };

static FILE *stream;
static sem_t started, go;
static unsigned next_line[WRITERS]; /* what each is to write next, as seen by who reads */
static int read_twice[WRITERS][LINES], parted;

static unsigned number(unsigned writer, unsigned line)
{
	return (writer * 7919 + line * 104729) % 1000003;
}

/* "writer line xxxx...x\n", of a length that both know. */
static int compose(char *to, unsigned writer, unsigned line)
{
	int n = sprintf(to, "%u %u ", writer, line), fill = (int)(number(writer, line) % (MOST - 40));
	memset(to + n, 'a' + (int)writer, (size_t)fill);
	memcpy(to + n + fill, "\n", 2);
	return n + fill + 1;
}

/* Which it is; false: it is none. */
static bool parse(const char *text, unsigned *writer, unsigned *line)
{
	char whole[MOST];
	if (sscanf(text, "%u %u ", writer, line) != 2 || *writer >= WRITERS || *line >= LINES)
		return false;
	compose(whole, *writer, *line);
	return strcmp(text, whole) == 0;
}

/* ---- Writing ---- */

static void put(unsigned writer, unsigned line)
{
	char text[MOST];
	int n = compose(text, writer, line);
	switch (line % 5) {
	case 0:
		check(fputs(text, stream) >= 0);
		break;
	case 1:
		check(fwrite(text, 1, (size_t)n, stream) == (size_t)n);
		break;
	case 2:
		check(fprintf(stream, "%s", text) == n);
		break;
	case 3: /* in pieces, under a lock of its own */
		flockfile(stream);
		for (int i = 0; i < n; i++)
			check(putc_unlocked(text[i], stream) == text[i]);
		funlockfile(stream);
		break;
	default:
		flockfile(stream);
		check(fprintf(stream, "%u ", writer) > 0);
		check(fputs(strchr(text, ' ') + 1, stream) >= 0);
		funlockfile(stream);
	}
	if (line % 50 == 0)
		check(fflush(stream) == 0);
}

static void write_lines(unsigned writer)
{
	sem_post(&started);
	wait_for(&go);
	for (unsigned i = 0; i < LINES; i++)
		put(writer, i);
}

/* ---- Reading ---- */

static void read_lines(unsigned reader)
{
	char text[MOST], *taken = NULL;
	size_t room = 0;
	unsigned writer, line;
	sem_post(&started);
	wait_for(&go);
	for (bool more = true; more;) {
		const char *got = text;
		if (reader % 3 == 0) {
			more = fgets(text, sizeof text, stream) != NULL;
		} else if (reader % 3 == 1) {
			more = getline(&taken, &room, stream) > 0;
			got = taken;
		} else {
			int c, n = 0;
			flockfile(stream);
			while ((c = getc_unlocked(stream)) != EOF && (text[n++] = (char)c) != '\n')
				;
			funlockfile(stream);
			text[n] = '\0';
			more = n > 0;
		}
		if (more && parse(got, &writer, &line))
			__atomic_add_fetch(&read_twice[writer][line], 1, __ATOMIC_RELAXED);
		else if (more)
			__atomic_add_fetch(&parted, 1, __ATOMIC_RELAXED);
	}
	free(taken);
}

/* ---- The threads ---- */

static void (*work)(unsigned number);

__attribute__((visibility("default"))) void *begin_native(void *arg);

void *begin_native(void *arg)
{
	work((unsigned)(long)arg);
	return NULL;
}

static void *begin_green(void *arg)
{
	work((unsigned)(long)arg);
	return NULL;
}

static pthread_t threads[WRITERS];

/* Odd ones are real. */
static void begin(void (*what)(unsigned), unsigned n)
{
	work = what;
	for (unsigned i = 0; i < n; i++)
		threads[i] = spawn(i % 2 ? begin_native : begin_green, (void *)(long)i);
	for (unsigned i = 0; i < n; i++)
		wait_for(&started);
	report_threads();
	for (unsigned i = 0; i < n; i++)
		sem_post(&go);
}

static void make(const char *kind, int fd[2])
{
	if (kind[0] == 'p') {
		check(pipe(fd) == 0);
		check(fcntl(fd[1], F_SETPIPE_SZ, 4096) >= 4096);
	} else if (kind[0] == 's') {
		stream_pair(fd);
	} else {
		fd[1] = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
		fd[0] = open("file", O_RDONLY);
		check(fd[0] >= 0 && fd[1] >= 0 && unlink("file") == 0);
	}
}

/* Everything that comes, by the descriptor: lines that are whole, and each writer's one after the other. */
static void read_all_lines(int fd)
{
	static char buf[10000], line[MOST];
	size_t at = 0;
	unsigned whole = 0, torn = 0, wrong = 0, writer, which;
	memset(next_line, 0, sizeof next_line);
	for (ssize_t n; (n = read(fd, buf, sizeof buf)) > 0;)
		for (ssize_t i = 0; i < n; i++) {
			if (at + 1 < sizeof line)
				line[at++] = buf[i];
			if (buf[i] != '\n')
				continue;
			line[at] = '\0';
			at = 0;
			if (!parse(line, &writer, &which))
				torn++;
			else if (next_line[writer]++ != which)
				wrong++;
			else
				whole++;
		}
	printf("%u whole, %u torn, %u out of order\n", whole, torn, wrong);
}

static void *drain(void *arg)
{
	read_all_lines((int)(long)arg);
	return NULL;
}

static void write_together(const char *kind, int mode, const char *name)
{
	int fd[2];
	make(kind, fd);
	stream = fdopen(fd[1], "w");
	check(setvbuf(stream, NULL, mode, mode == _IONBF ? 0 : 1000) == 0);
	printf("%s, %s: ", kind, name);
	fflush(stdout);
	begin(write_lines, WRITERS);
	pthread_t reader = kind[0] == 'f' ? 0 : spawn(drain, (void *)(long)fd[0]);
	for (int i = 0; i < WRITERS; i++)
		join(threads[i]);
	check(fclose(stream) == 0);
	if (reader)
		join(reader);
	else
		read_all_lines(fd[0]);
	close(fd[0]);
}

static void read_together(const char *kind)
{
	int fd[2], all = 0, twice = 0;
	char text[MOST];
	make(kind, fd);
	stream = fdopen(fd[0], "r");
	memset(read_twice, 0, sizeof read_twice);
	parted = 0;
	if (kind[0] != 'f')
		begin(read_lines, READERS);
	for (unsigned i = 0; i < LINES; i++)
		for (unsigned k = 0; k < WRITERS; k++)
			write_all(fd[1], text, (size_t)compose(text, k, i));
	close(fd[1]);
	if (kind[0] == 'f')
		begin(read_lines, READERS);
	for (int i = 0; i < READERS; i++)
		join(threads[i]);
	for (unsigned k = 0; k < WRITERS; k++)
		for (unsigned i = 0; i < LINES; i++) {
			all += read_twice[k][i] > 0;
			twice += read_twice[k][i] > 1;
		}
	printf("%s: %d read, %d torn, %d twice\n", kind, all, parted, twice);
	fclose(stream);
}

int main(void)
{
	static const char *const kinds[] = {"pipe", "socket", "file"};
	sem_init(&started, 0, 0);
	sem_init(&go, 0, 0);
	for (int i = 0; i < 3; i++) {
		write_together(kinds[i], _IOFBF, "buffered");
		write_together(kinds[i], _IOLBF, "by lines");
		write_together(kinds[i], _IONBF, "not buffered");
		read_together(kinds[i]);
	}
	return 0;
}
