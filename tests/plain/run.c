/* Runs the tests that criterion/criterion.h declared, one child each; the status is 1 if one failed. */
#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77, LIMIT = 100 /* seconds a test */ };

static struct plain_test *first, **last = &first;
static int failures;
static int redirected = -1;

void plain_add(struct plain_test *t)
{
	*last = t;
	last = &t->next;
}

void plain_check(bool so, bool must, const char *what, const char *file, int line)
{
	if (so)
		return;
	fprintf(stdout, "%s:%d: not so: %s\n", file, line, what);
	failures++;
	if (must) {
		fflush(stdout);
		_exit(1);
	}
}

void plain_skip(void)
{
	_exit(SKIPPED);
}

void plain_redirect_stderr(void)
{
	redirected = memfd_create("stderr", 0);
	dup2(redirected, STDERR_FILENO);
}

bool plain_stderr_is(const char *text)
{
	char said[4096];
	ssize_t n = pread(redirected, said, sizeof said, 0);
	return n >= 0 && (size_t)n == strlen(text) && memcmp(said, text, (size_t)n) == 0;
}

static bool run(const struct plain_test *t)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(t->timeout > 0 ? (unsigned)t->timeout + 1 : LIMIT);
		if (t->init)
			t->init();
		t->body();
		fflush(stdout);
		_exit(failures ? 1 : 0);
	}
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	bool skipped = WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED;
	bool passed = t->signal ? WIFSIGNALED(status) && WTERMSIG(status) == t->signal
				: WIFEXITED(status) && WEXITSTATUS(status) == 0;
	printf("%s %s", skipped ? "skipped" : passed ? "ok" : "FAILED", t->name);
	printf(passed || skipped ? "\n" : ", status %#x\n", (unsigned)status);
	return passed || skipped;
}

int main(int argc, char **argv)
{
	int failed = 0;
	for (const struct plain_test *t = first; t; t = t->next)
		if (argc < 2 || strstr(t->name, argv[1]))
			failed += !run(t);
	return failed ? 1 : 0;
}
