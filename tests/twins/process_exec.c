/* What another program finds of the descriptors that it inherits from threads which wait on them: a listening socket, connections, a pipe, all of them as
 * blocking as natively. By every way to begin a program; one that is statically linked, and ones in whose environment LD_PRELOAD is missing. Then a
 * strange child takes connections beside a thread of ours, and no thread of ours is held up by it. Arguments: the static program. */
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "twin.h"

extern char **environ;

enum { HIGH = 1500 };

static struct sockaddr_in address;
static int listener, pairs[2], pipes[2];
static char listener_text[12], pair_text[12], pipe_text[12];
static const char *program;
static char *arguments[6];
static sem_t here;

/* ---- Ways to begin it ---- */

static void by_execve(void)
{
	execve(program, arguments, environ);
}

static void by_execv(void)
{
	execv(program, arguments);
}

static void by_execvp(void)
{
	execvp(program, arguments);
}

static void by_execvpe(void)
{
	char *empty[] = {NULL};
	execvpe(program, arguments, empty);
}

static void by_execl(void)
{
	execl(program, "look", "look", listener_text, pair_text, pipe_text, (char *)NULL);
}

static void by_execle(void)
{
	char *one[] = {(char *)"A=b", NULL};
	execle(program, "look", "look", listener_text, pair_text, pipe_text, (char *)NULL, one);
}

static void by_execlp(void)
{
	execlp(program, "look", "look", listener_text, pair_text, pipe_text, (char *)NULL);
}

static void by_fexecve(void)
{
	fexecve(open(program, O_RDONLY | O_CLOEXEC), arguments, environ);
}

static void by_execveat(void)
{
	execveat(AT_FDCWD, program, arguments, environ, 0);
}

static void by_failed_execv(void)
{
	check(execl("/nothing/there", "nothing", (char *)NULL) == -1);
	show(execv("/nothing/there", arguments));
	fflush(stdout);
	execv(program, arguments);
}

static const struct {
	const char *name;
	void (*begin)(void);
} ways[] = {
	{"execve", by_execve},     {"execv", by_execv},
	{"execvp", by_execvp},     {"execvpe", by_execvpe},
	{"execl", by_execl},       {"execle", by_execle},
	{"execlp", by_execlp},     {"fexecve", by_fexecve},
	{"execveat", by_execveat}, {"after a failure", by_failed_execv},
};

static void await(pid_t child)
{
	int status;
	check(waitpid(child, &status, 0) == child);
	printf("ended: %d\n", status);
	fflush(stdout);
}

static void fork_and(void (*begin)(void))
{
	pid_t child = fork();
	if (child == 0) {
		begin();
		_exit(1);
	}
	await(child);
}

static void spawn_it(bool searched)
{
	pid_t child;
	check((searched ? posix_spawnp : posix_spawn)(&child, program, NULL, NULL, arguments, environ) == 0);
	await(child);
}

static void by_shell(bool piped)
{
	char command[400], line[200];
	snprintf(command, sizeof command, "%s look %d %d %d", program, listener, pairs[0], pipes[0]);
	if (!piped) {
		show(system(command));
		fflush(stdout);
		return;
	}
	FILE *f = popen(command, "r");
	while (fgets(line, sizeof line, f))
		printf("%s", line);
	show(pclose(f));
}

/* ---- What is inherited ---- */

static void ask(char what)
{
	int fd = tcp_dial(&address);
	char c = what;
	check(write(fd, &c, 1) == 1 && read(fd, &c, 1) == 1 && c == what);
	close(fd);
}

/* Takes connections until it is told to end. */
static void *serve(void *arg)
{
	char c = 0;
	sem_post(&here);
	while (c != 'e') {
		int fd = accept(listener, NULL, NULL);
		check(fd >= 0);
		check(read(fd, &c, 1) == 1 && write(fd, &c, 1) == 1);
		close(fd);
	}
	return arg;
}

static void *read_one(void *arg)
{
	char c;
	sem_post(&here);
	check(read((int)(long)arg, &c, 1) == 1);
	return NULL;
}

/* Threads wait on all of them, and so whatever is done to descriptors that are waited on has been done. The listening socket is a new one, of a high
 * number every other time. */
static void wait_on_all(void)
{
	static int times;
	close(listener);
	int low = tcp_listener(&address);
	listener = fcntl(low, F_DUPFD, times++ % 2 ? 0 : HIGH);
	check(listener >= 0);
	close(low);
	snprintf(listener_text, sizeof listener_text, "%d", listener);
	pthread_t server = spawn(serve, NULL), one = spawn(read_one, (void *)(long)pairs[0]),
		  other = spawn(read_one, (void *)(long)pipes[0]);
	for (int i = 0; i < 3; i++)
		wait_for(&here);
	report_threads();
	ask('x');
	check(write(pairs[1], "x", 1) == 1 && write(pipes[1], "x", 1) == 1);
	ask('e');
	join(server);
	join(one);
	join(other);
}

/* A strange child and a thread of ours take connections of the same socket; and each of ours goes on while another waits. */
static void serve_together(void)
{
	char *serving[] = {(char *)"serve", (char *)"serve", listener_text, NULL};
	enum { CONNECTIONS = 40 };
	pid_t child;
	wait_on_all();
	fflush(stdout);
	check(posix_spawn(&child, program, NULL, NULL, serving, environ) == 0);
	pthread_t server = spawn(serve, NULL);
	wait_for(&here);
	for (int i = 0; i < CONNECTIONS; i++)
		ask('x');
	/* Whoever is told to ends; then the other. */
	ask('e');
	ask('e');
	join(server);
	await(child);
	puts("served together");
}

static void all_ways(const char *what)
{
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		printf("%s, %s:\n", what, ways[i].name);
		fflush(stdout);
		wait_on_all();
		fork_and(ways[i].begin);
	}
	for (int i = 0; i < 2; i++) {
		printf("%s, %s:\n", what, i ? "posix_spawnp" : "posix_spawn");
		fflush(stdout);
		wait_on_all();
		spawn_it(i);
		printf("%s, %s:\n", what, i ? "popen" : "system");
		fflush(stdout);
		wait_on_all();
		by_shell(i);
	}
}

/* The flags as the kernel has them, where nobody hides any; and a call says whether it blocks. */
static int look(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		printf("%s", fcntl(atoi(argv[i]), F_GETFL) & O_NONBLOCK ? " does not block" : " blocks");
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	sem_init(&here, 0, 0);
	if (argc > 2 && strcmp(argv[1], "look") == 0)
		return look(argc, argv);
	if (argc > 2 && strcmp(argv[1], "serve") == 0) {
		listener = atoi(argv[2]);
		return serve(NULL) != NULL;
	}
	check(argc == 2);
	struct rlimit limit;
	check(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max > HIGH);
	limit.rlim_cur = limit.rlim_cur > 2 * HIGH ? limit.rlim_cur
		       : 2 * HIGH < limit.rlim_max ? 2 * HIGH
						   : limit.rlim_max;
	check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	listener = tcp_listener(&address);
	stream_pair(pairs);
	check(pipe(pipes) == 0);
	snprintf(pair_text, sizeof pair_text, "%d", pairs[0]);
	snprintf(pipe_text, sizeof pipe_text, "%d", pipes[0]);
	char *given[] = {(char *)"look", (char *)"look", listener_text, pair_text, pipe_text, NULL};
	memcpy(arguments, given, sizeof given);
	program = "/proc/self/exe";
	wait_on_all();
	fork_and(by_execv);
	program = argv[1];
	all_ways("static");
	serve_together();
	char self[400];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	check(n > 0);
	self[n] = '\0';
	program = self;
	unsetenv("LD_PRELOAD");
	all_ways("alone");
	serve_together();
	return 0;
}
