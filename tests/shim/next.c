/* Originals are found as dlsym would find them, and where dlsym must not be asked. */
#include <criterion/criterion.h>

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "shim/base/next.h"

static const struct {
	const char *name, *version;
} rows[] = {
#define GREEN(ret, name, params, args, family, version, fixture) {#name, version},
#define REAL(ret, name, params, args, version) {#name, version},
#define ALIAS(alias, name) {#alias, NULL},
#define PASS(name, family, reason) {#name, NULL},
#define LATER(name, family, why) {#name, NULL},
#define FORMAT(ret, name, params, last, call, fixture) {#name, NULL},
#define WITHIN(name, fixture) {#name, NULL},
#include "shim/base/symbols.def"
};

/* What the loader gives. Names that libc keeps for old programs only have no default: there the versions count that x86-64 has of them.
 * RTLD_DEFAULT: before glibc 2.36 RTLD_NEXT gave the oldest version of a name. */
static void *loader_gives(const char *name, const char *version)
{
	void *f = version ? dlvsym(RTLD_DEFAULT, name, version) : NULL;
	static const char *const old[] = {"GLIBC_2.2.5", "GLIBC_2.4"};
	if (f == NULL)
		f = dlsym(RTLD_DEFAULT, name);
	for (size_t i = 0; f == NULL && i < sizeof old / sizeof *old; i++)
		f = dlvsym(RTLD_DEFAULT, name, old[i]);
	return f;
}

Test(next, finds_what_the_loader_gives)
{
	size_t found = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		void *ours = patch_next(rows[i].name, rows[i].version);
		if (ours == NULL)
			continue; /* an IFUNC, or a name that this libc does not have */
		found++;
		cr_expect_eq(ours, loader_gives(rows[i].name, rows[i].version), "%s", rows[i].name);
	}
	cr_expect_geq(found, 1000);
}

Test(next, finds_every_original)
{
	static const struct {
		const char *name, *family;
	} originals[] = {
#undef GREEN
#undef REAL
#undef ALIAS
#undef PASS
#undef LATER
#undef FORMAT
#undef WITHIN
#define GREEN(ret, name, params, args, family, version, fixture) {#name, #family},
#define REAL(ret, name, params, args, version) {#name, ""},
#define ALIAS(alias, name)
#define PASS(name, family, reason)
#define LATER(name, family, why)
#include "shim/base/symbols.def"
	};
	for (size_t i = 0; i < sizeof originals / sizeof *originals; i++)
		/* liburing's, which this program does not use; and names that only a newer libc has */
		if (strcmp(originals[i].family, "uring") != 0 && strncmp(originals[i].name, "__isoc23_", 9) != 0 &&
		    strcmp(originals[i].name, "pthread_gettid_np") != 0 &&
		    strcmp(originals[i].name, "sched_setattr") != 0)
			cr_expect_not_null(patch_next(originals[i].name, NULL), "%s", originals[i].name);
}

Test(next, gives_the_version_that_is_asked_for)
{
	void *old = dlvsym(RTLD_DEFAULT, "pthread_cond_wait", "GLIBC_2.2.5");
	if (old == NULL)
		cr_skip("this libc has one pthread_cond_wait");
	cr_expect_eq(patch_next("pthread_cond_wait", "GLIBC_2.2.5"), old);
	cr_expect_neq(patch_next("pthread_cond_wait", NULL), old);
	cr_expect_eq(patch_next("pthread_cond_wait", "GLIBC_1.0"), patch_next("pthread_cond_wait", NULL));
}

Test(next, does_not_find_what_is_not_there)
{
	cr_expect_null(patch_next("no_such_function", NULL));
	cr_expect_null(patch_next("", NULL));
	cr_expect_null(patch_next("stdout", NULL), "not a function");
}

Test(next, leaves_the_programs_loader_error)
{
	cr_expect_null(dlopen("/no/such/library.so", RTLD_NOW));
	cr_expect_not_null(patch_next("read", NULL));
	cr_expect_null(patch_next("no_such_function", NULL));
	const char *error = dlerror();
	cr_assert_not_null(error);
	cr_expect_not_null(strstr(error, "/no/such/library.so"), "%s", error);
}

/* A library's constructor that waits in dlopen, with the loader's lock, for what another thread looks up meanwhile. */
static sem_t inside, looked_up;

void in_constructor(void) __attribute__((visibility("default")));
void in_constructor(void)
{
	sem_post(&inside);
	sem_wait(&looked_up);
}

static void *load(void *plugin)
{
	return dlopen(plugin, RTLD_NOW);
}

Test(next, needs_no_lock_of_the_loader, .timeout = 10)
{
	pthread_t thread;
	void *library;
	sem_init(&inside, 0, 0);
	sem_init(&looked_up, 0, 0);
	cr_assert_eq(pthread_create(&thread, NULL, load, getenv("NEXT_PLUGIN")), 0);
	sem_wait(&inside);
	cr_expect_not_null(patch_next("read", NULL));
	sem_post(&looked_up);
	pthread_join(thread, &library);
	cr_expect_not_null(library);
}
