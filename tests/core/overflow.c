/* A stack overflow names its greenlet, and ends the process as it would without us; every other fault is left alone. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gev/embed.h"
#include "lib/base/sys.h"
#include "lib/core/greenlet.h"

/* What a child said on standard error, and how it ended. */
static char said[4096];

static int in_child(void (*body)(void))
{
	int fds[2];
	cr_assert_eq(pipe(fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		dup2(fds[1], STDERR_FILENO);
		body();
		_exit(0);
	}
	close(fds[1]);
	size_t n = 0;
	ssize_t r;
	while ((r = read(fds[0], said + n, sizeof said - 1 - n)) > 0)
		n += (size_t)r;
	said[n] = '\0';
	int status = -1;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	close(fds[0]);
	return status;
}

#define expect_signal(status, number)                                                                                  \
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == (number), "status %#x, said \"%s\"", status, said)

static int run_over(volatile char *caller)
{
	volatile char frame[512];
	frame[0] = *caller;
	if (frame[0] == 0)
		return 0; /* never: the caller's is 1 */
	int below = run_over(frame);
	__asm__ volatile("" : "+r"(below)); /* or the compiler makes a loop of it */
	return below + frame[0];
}

static void *overflow(void *arg)
{
	volatile char first = 1;
	run_over(&first);
	return NULL;
}

static void spawn_and_join(const char *name, int identity, void *(*fn)(void *), void *arg)
{
	struct gev_spawn_attr attr = {.name = name, .stack_size = 65536, .identity = identity};
	struct gev_greenlet *g = gev_spawn_with(&attr, fn, arg);
	if (g == NULL || gev_join(g, GEV_FOREVER, NULL))
		_exit(99);
}

static void overflow_named(void)
{
	spawn_and_join("digger", GEV_IDENTITY_SHARED, overflow, NULL);
}

Test(overflow, names_the_greenlet)
{
	int status = in_child(overflow_named);
	expect_signal(status, SIGSEGV);
	cr_expect_str_eq(said, "libgev: stack overflow in greenlet \"digger\", in its stack of 65536 bytes\n");
}

static void overflow_as_a_thread(void)
{
	spawn_and_join("thread", GEV_IDENTITY_OWN, overflow, NULL);
}

Test(overflow, names_a_green_thread)
{
	int status = in_child(overflow_as_a_thread);
	expect_signal(status, SIGSEGV);
	cr_expect_not_null(strstr(said, "stack overflow in greenlet \"thread\""), "\"%s\"", said);
}

static void overflow_unnamed(void)
{
	spawn_and_join(NULL, GEV_IDENTITY_SHARED, overflow, NULL);
}

Test(overflow, says_that_there_is_no_name)
{
	int status = in_child(overflow_unnamed);
	expect_signal(status, SIGSEGV);
	cr_expect_not_null(strstr(said, "(it has no name), in its stack of 65536 bytes"), "\"%s\"", said);
}

static void overflow_by_mprotect(void)
{
	setenv("GEV_GUARD", "0", 1);
	overflow_named();
}

Test(overflow, is_found_with_either_kind_of_guard)
{
	int status = in_child(overflow_by_mprotect);
	expect_signal(status, SIGSEGV);
	cr_expect_not_null(strstr(said, "\"digger\""), "\"%s\"", said);
}

static void *hub_on_a_thread(void *arg)
{
	overflow_named();
	return NULL;
}

static void overflow_on_a_thread(void)
{
	pthread_t t;
	gev_sleep(0);
	if (pthread_create(&t, NULL, hub_on_a_thread, NULL) == 0)
		pthread_join(t, NULL);
}

Test(overflow, is_found_on_every_os_thread_with_a_hub)
{
	int status = in_child(overflow_on_a_thread);
	expect_signal(status, SIGSEGV);
	cr_expect_not_null(strstr(said, "\"digger\""), "\"%s\"", said);
}

/* ---- Other faults ---- */

static void *stray(void *arg)
{
	*(volatile int *)arg = 1;
	return NULL;
}

static void fault_elsewhere(void)
{
	spawn_and_join("innocent", GEV_IDENTITY_SHARED, stray, (void *)16);
}

static void *hit_own_guard(void *arg)
{
	*(volatile char *)(gev_self()->stack.lo - 1) = 1;
	return NULL;
}

static void stray_into_the_guard(void)
{
	spawn_and_join("innocent", GEV_IDENTITY_SHARED, hit_own_guard, NULL);
}

static void *raise_it(void *arg)
{
	raise(SIGSEGV);
	return NULL;
}

static void sent_by_somebody(void)
{
	spawn_and_join("innocent", GEV_IDENTITY_SHARED, raise_it, NULL);
}

static void main_runs_over(void)
{
	gev_sleep(0);
	overflow(NULL);
}

static void no_address(void)
{
	gev_sleep(0);
	*(volatile int *)0x8000000000000000 = 1; /* not canonical: SI_KERNEL, without an address */
}

static const struct {
	const char *desc;
	void (*body)(void);
} others[] = {
	{"a stray pointer", fault_elsewhere},
	{"a stray pointer into the greenlet's own guard", stray_into_the_guard},
	{"SIGSEGV sent by somebody", sent_by_somebody},
	{"the main stack's end", main_runs_over},
	{"a fault without an address", no_address},
};

Test(overflow, other_faults_end_as_ever)
{
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		int status = in_child(others[i].body);
		cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "%s: status %#x", others[i].desc, status);
		cr_expect_str_empty(said, "%s: %s", others[i].desc, said);
	}
}

/* ---- Whose signal it is ---- */

static void theirs(int number)
{
	_exit(7);
}

static void theirs_before(void)
{
	static char room[65536];
	stack_t alternate = {.ss_sp = room, .ss_size = sizeof room}, now;
	struct sigaction action = {.sa_handler = theirs, .sa_flags = SA_ONSTACK};
	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	gev_sleep(0);
	sigaltstack(NULL, &now);
	if (now.ss_sp != room)
		_exit(1);
	overflow_named();
}

static void theirs_after(void)
{
	struct sigaction action = {.sa_handler = theirs, .sa_flags = SA_ONSTACK};
	gev_sleep(0);
	sigaction(SIGSEGV, &action, NULL);
	overflow_named();
}

Test(overflow, a_handler_of_the_program_is_not_displaced)
{
	int before = in_child(theirs_before);
	cr_expect(WIFEXITED(before) && WEXITSTATUS(before) == 7, "status %#x", before);
	cr_expect_str_empty(said);
	int after = in_child(theirs_after);
	cr_expect(WIFEXITED(after) && WEXITSTATUS(after) == 7, "status %#x", after);
	cr_expect_str_empty(said);
}

static void is_untouched(void)
{
	struct sigaction before, after;
	stack_t alternate;
	sigaction(SIGSEGV, NULL, &before);
	if (gev_embed_v1()->start(NULL))
		_exit(1);
	sigaction(SIGSEGV, NULL, &after);
	sigaltstack(NULL, &alternate);
	_exit(before.sa_handler != after.sa_handler || !(alternate.ss_flags & SS_DISABLE) ? 2 : 0);
}

static void ignored(void)
{
	struct sigaction now;
	signal(SIGSEGV, SIG_IGN);
	gev_sleep(0);
	sigaction(SIGSEGV, NULL, &now);
	_exit(now.sa_handler != SIG_IGN);
}

Test(overflow, nothing_is_installed_where_others_see_to_it)
{
	cr_expect_eq(in_child(is_untouched), 0);
	cr_expect_eq(in_child(ignored), 0);
}

/* ---- What cannot be had ---- */

static int no_sigaltstack(const stack_t *stack, stack_t *old)
{
	errno = ENOMEM;
	return -1;
}

static int no_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	errno = EINVAL;
	return -1;
}

static void without_alternate_stack(void)
{
	gev__sys.sigaltstack = no_sigaltstack;
	overflow_named();
}

static void without_handler(void)
{
	gev__sys.sigaction = no_sigaction;
	overflow_named();
}

Test(overflow, what_cannot_be_had_is_left_out)
{
	int status = in_child(without_alternate_stack);
	expect_signal(status, SIGSEGV);
	cr_expect_str_empty(said);
	status = in_child(without_handler);
	expect_signal(status, SIGSEGV);
	cr_expect_str_empty(said);
}

static void *look_and_end(void *arg)
{
	stack_t alternate;
	gev_sleep(0);
	sigaltstack(NULL, &alternate);
	*(int *)arg = !(alternate.ss_flags & SS_DISABLE);
	return NULL;
}

Test(overflow, a_thread_gives_its_alternate_stack_back)
{
	/* Leaks are AddressSanitizer's to find; here it is only used. */
	for (int i = 0; i < 100; i++) {
		pthread_t t;
		int had = 0;
		cr_assert_eq(pthread_create(&t, NULL, look_and_end, &had), 0);
		cr_assert_eq(pthread_join(t, NULL), 0);
		cr_assert(had);
	}
}
