/* What a libc may lack: without it either an identity is made in another way, or there is none, and the reason is said. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/sys.h"
#include "lib/context/annotate.h"
#include "lib/context/identity-glibc.h"
#include "lib/context/identity.h"

#ifdef GEV_ASAN
#define ASAN_SAYS "AddressSanitizer"
#else
#define ASAN_SAYS NULL
#endif

static __thread int own = 7;
static const char *absent;

static void *find_less(const char *name)
{
	return strcmp(name, absent) == 0 ? NULL : dlsym(RTLD_DEFAULT, name);
}

static const struct {
	const char *name; /* of a symbol */
	const char *why;  /* a part of what is said; NULL: it does without */
} symbols[] = {
	{"_dl_allocate_tls", "does not export"},
	{"_dl_deallocate_tls", "does not export"},
	{"__ctype_init", "does not export"},
	{"_rtld_global", "layout of struct pthread"},
	{"_thread_db_sizeof_pthread", "layout of struct pthread"},
	{"_thread_db_pthread_tid", "layout of struct pthread"},
	{"_thread_db_pthread_list", "layout of struct pthread"},
	{"_thread_db_pthread_specific", "layout of struct pthread"},
	{"_thread_db_rtld_global__dl_stack_user", "layout of struct pthread"},
	{"gnu_get_libc_version", "thread-local storage of libc"},
	{"_dl_get_tls_static_info", NULL},
	{"__call_tls_dtors", NULL},
	{"__pthread_keys", ASAN_SAYS},
	{"_thread_db_pthread_key_data_data", ASAN_SAYS},
	{"__rseq_offset", NULL},
	{"__rseq_size", NULL},
};

static void *look(void *arg)
{
	int before = own++;
	errno = 99;
	gev_yield();
	return before == 7 && own == 8 && errno == 99 ? arg : NULL;
}

/* Some at once, each joined. Whether each saw what it should. */
static bool live(int identity)
{
	enum { N = 20 };
	const struct gev_spawn_attr attr = {.identity = identity};
	struct gev_greenlet *g[N];
	bool good = true;
	for (int i = 0; i < N; i++)
		if ((g[i] = gev_spawn_with(&attr, look, g)) == NULL)
			return false;
	for (int i = 0; i < N; i++) {
		void *value = NULL;
		good &= gev_join(g[i], 10, &value) == 0 && (identity == GEV_IDENTITY_SHARED || value == g);
		gev_release(g[i]);
	}
	return good;
}

/* In a child of its own, because it is found out once a process. 0: as it should be. */
static int try_without(const char *why)
{
	const char *missing = gev__identity_missing();
	if (why == NULL)
		return missing == NULL && live(GEV_IDENTITY_OWN) && own == 7 ? 0 : 1;
	if (missing == NULL || strstr(missing, why) == NULL)
		return 2;
	if (live(GEV_IDENTITY_OWN) || errno != ENOSYS)
		return 3;
	return live(GEV_IDENTITY_SHARED) ? 0 : 4;
}

static int in_a_child(const char *why)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0)
		_exit(try_without(why));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(missing, each_symbol_by_turn)
{
	gev__glibc_symbol = find_less;
	for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
		absent = symbols[i].name;
		cr_expect_eq(in_a_child(symbols[i].why), 0, "%s", absent);
	}
	absent = "nothing";
	cr_expect_eq(in_a_child(NULL), 0);
}

/* ---- System calls ---- */

static long (*real_syscall)(long number, long a, long b, long c, long d, long e, long f);

static long refuse_robust(long number, long a, long b, long c, long d, long e, long f)
{
	if (number != SYS_get_robust_list)
		return real_syscall(number, a, b, c, d, e, f);
	errno = ENOSYS;
	return -1;
}

Test(missing, the_robust_list_is_found_without_its_system_call)
{
	struct gev__glibc with, without;
	cr_assert_null(gev__glibc_find(&with));
	real_syscall = gev__sys.syscall;
	gev__sys.syscall = refuse_robust;
	cr_assert_null(gev__glibc_find(&without));
	cr_expect_eq(with.robust_offset, without.robust_offset);
	cr_expect_eq(with.robust_futex_offset, without.robust_futex_offset);
	cr_expect_eq(in_a_child(NULL), 0);
}

/* ---- Memory ---- */

static void *(*real_mmap)(void *address, size_t n, int protection, int flags, int fd, off_t offset);

static void *no_mmap(void *address, size_t n, int protection, int flags, int fd, off_t offset)
{
	errno = ENOMEM;
	return (void *)-1;
}

Test(missing, without_memory_for_an_identity_the_spawn_says_EAGAIN)
{
	const struct gev_spawn_attr attr = {.identity = GEV_IDENTITY_OWN};
	cr_assert(live(GEV_IDENTITY_SHARED)); /* there are stacks */
	real_mmap = gev__sys.mmap;
	gev__sys.mmap = no_mmap;
	cr_expect_null(gev_spawn_with(&attr, look, NULL));
	cr_expect_eq(errno, EAGAIN);
	cr_expect(live(GEV_IDENTITY_SHARED));
	gev__sys.mmap = real_mmap;
	cr_expect(live(GEV_IDENTITY_OWN));
}
