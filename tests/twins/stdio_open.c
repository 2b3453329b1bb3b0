/* fopen and freopen of a FIFO wait for the other end; fopen of a file does not; a stream that is opened anew. */
#include "streams.h"

#include <mntent.h>
#include <signal.h>
#include <sys/stat.h>

FILE *_IO_fopen(const char *path, const char *mode);
int _IO_file_close_it(FILE *f);
FILE *_IO_file_fopen(FILE *f, const char *path, const char *mode, int large);
FILE *_IO_file_open(FILE *f, const char *path, int flags, int mode, int way, int large);

static void *read_fifo(void *arg)
{
	char line[100];
	FILE *f = fopen("fifo", "r");
	check(f != NULL);
	while (fgets(line, sizeof line, f))
		printf("through the FIFO: %s", line);
	fclose(f);
	return NULL;
}

static void *read_mounts(void *arg)
{
	FILE *f = setmntent("fifo", "r");
	check(f != NULL);
	const struct mntent *m = getmntent(f);
	printf("mounted: %s\n", m ? m->mnt_dir : "nothing");
	check(endmntent(f) == 1);
	return NULL;
}

static void *write_fifo(void *arg)
{
	FILE *f = fopen("fifo", "w");
	check(f != NULL);
	fputs("written here\n", f);
	fclose(f);
	return NULL;
}

/* Not before the reader is about to read. */
static void *write_late(void *arg)
{
	FILE *f = fopen("fifo", "w");
	check(f != NULL);
	wait_for(&here);
	sched_yield();
	fputs("written late\n", f);
	fclose(f);
	return NULL;
}

static void *reopen_reader(void *arg)
{
	char line[100];
	FILE *f = fopen("/dev/null", "r");
	int fd = fileno(f);
	check(fgetc(f) == EOF); /* known to be what never waits; the next one does */
	f = freopen("fifo", "r", f);
	check(f != NULL && fileno(f) == fd);
	sem_post(&here);
	check(fgets(line, sizeof line, f) != NULL);
	printf("reopened: %s", line);
	fclose(f);
	return NULL;
}

enum { NO_WRITES = 8 }; /* libio.h, _IO_NO_WRITES */

/* A stream without a file, and a FIFO for it by libc's names of fopen's parts. */
static void *open_parts(void *arg)
{
	char line[100];
	FILE *f = fopen("/dev/null", "r");
	check(f != NULL && _IO_file_close_it(f) == 0);
	f = arg ? _IO_file_open(f, "fifo", O_RDONLY, 0, NO_WRITES, 1) : _IO_file_fopen(f, "fifo", "r", 1);
	check(f != NULL && fgets(line, sizeof line, f) != NULL);
	printf("by parts: %s", line);
	fclose(f);
	return NULL;
}

static int ended; /* atomic */

static void handler(int sig)
{
}

static void *open_in_vain(void *again)
{
	FILE *f = again ? freopen("fifo", "r", fopen("/dev/null", "r")) : fopen("fifo", "r");
	printf("%s %s\n", f ? "opened" : "not opened", strerrorname_np(errno));
	__atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* A handler without SA_RESTART ends the wait for the other end. */
static void interrupt(pthread_t t)
{
	for (; !__atomic_load_n(&ended, __ATOMIC_SEQ_CST); usleep(1000))
		check(pthread_kill(t, SIGUSR1) == 0);
	join(t);
	ended = 0;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler};
	check(mkfifo("fifo", 0600) == 0);
	pthread_t reader = spawn(read_fifo, NULL);
	report_threads();
	sched_yield();
	pthread_t writer = spawn(write_fifo, NULL);
	join(writer);
	join(reader);

	writer = spawn(write_fifo, NULL);
	sched_yield();
	reader = spawn(read_fifo, NULL);
	join(reader);
	join(writer);

	reader = spawn(read_mounts, NULL);
	sched_yield();
	join(spawn(write_fifo, NULL));
	join(reader);

	sem_init(&here, 0, 0);
	reader = spawn(reopen_reader, NULL);
	sched_yield();
	join(spawn(write_late, NULL));
	join(reader);

	for (int part = 0; part < 2; part++) {
		reader = spawn(open_parts, part ? "" : NULL);
		sched_yield();
		join(spawn(write_fifo, NULL));
		join(reader);
	}
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	interrupt(spawn(open_in_vain, NULL));
	interrupt(spawn(open_in_vain, &ended));
	show(access("fifo", F_OK));
	check(unlink("fifo") == 0);

	/* A stream over a socket, opened anew as a file: what was known of the number is forgotten. */
	int fd[2];
	char line[100];
	stream_pair(fd);
	in = fdopen(fd[0], "r+");
	write_all(fd[1], "from the socket\n", 16);
	check(fgets(line, sizeof line, in) != NULL);
	printf("%s", line);
	in = freopen("file", "w+", in);
	check(in != NULL && fileno(in) == fd[0]);
	check(fputs("in the file\n", in) >= 0 && fseek(in, 0, SEEK_SET) == 0 && fgets(line, sizeof line, in) != NULL);
	printf("%s", line);
	check(read(fd[1], line, 1) == 0);
	check(fclose(in) == 0);
	in = _IO_fopen("file", "r");
	check(in != NULL && fgets(line, sizeof line, in) != NULL);
	printf("%s", line);
	fclose(in);
	check(freopen("nowhere/at/all", "r", fopen("file", "r")) == NULL);
	show(errno);
	unlink("file");
	return 0;
}
