/* criterion.h: a stand-in for Criterion, whose sandbox does not run under qemu-user: the few of its words that the unit tests use, each test in a
 * child of fork. For cross builds only; what it lacks is a build error. */
#ifndef TESTS_PLAIN_CRITERION_H
#define TESTS_PLAIN_CRITERION_H

#include <stdbool.h>
#include <string.h>

#ifdef __cplusplus
/* What a test does not say of itself is zero; C++ wonders about that. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
extern "C" {
#endif

struct plain_test {
	const char *name;
	void (*body)(void);
	void (*init)(void);
	int signal;     /* how it must end; 0: by returning */
	double timeout; /* seconds; 0: the usual */
	struct plain_test *next;
};

void plain_add(struct plain_test *t);
/* Says what was not so, and counts it; for an assertion the test ends here. */
void plain_check(bool so, bool must, const char *what, const char *file, int line);
void plain_skip(void) __attribute__((noreturn));
void plain_redirect_stderr(void);
bool plain_stderr_is(const char *text);

#ifdef __cplusplus
}
#endif

#define Test(suite, test_name, ...)                                                                                    \
	static void suite##_##test_name##_body(void);                                                                  \
	static struct plain_test suite##_##test_name##_test = {                                                        \
		.name = #suite "::" #test_name, .body = suite##_##test_name##_body, __VA_ARGS__};                      \
	static __attribute__((constructor)) void suite##_##test_name##_add(void)                                       \
	{                                                                                                              \
		plain_add(&suite##_##test_name##_test);                                                                \
	}                                                                                                              \
	static void suite##_##test_name##_body(void)

/* A message and its arguments follow; they are not printed. */
#define cr_expect(so, ...) plain_check(so, false, #so, __FILE__, __LINE__)
#define cr_assert(so, ...) plain_check(so, true, #so, __FILE__, __LINE__)
#define cr_expect_not(so, ...) cr_expect(!(so))
#define cr_assert_not(so, ...) cr_assert(!(so))
#define cr_expect_eq(a, b, ...) cr_expect((a) == (b))
#define cr_assert_eq(a, b, ...) cr_assert((a) == (b))
#define cr_expect_neq(a, b, ...) cr_expect((a) != (b))
#define cr_assert_neq(a, b, ...) cr_assert((a) != (b))
#define cr_expect_lt(a, b, ...) cr_expect((a) < (b))
#define cr_assert_lt(a, b, ...) cr_assert((a) < (b))
#define cr_expect_leq(a, b, ...) cr_expect((a) <= (b))
#define cr_assert_leq(a, b, ...) cr_assert((a) <= (b))
#define cr_expect_gt(a, b, ...) cr_expect((a) > (b))
#define cr_assert_gt(a, b, ...) cr_assert((a) > (b))
#define cr_expect_geq(a, b, ...) cr_expect((a) >= (b))
#define cr_assert_geq(a, b, ...) cr_assert((a) >= (b))
#define cr_expect_null(p, ...) cr_expect((p) == NULL)
#define cr_assert_null(p, ...) cr_assert((p) == NULL)
#define cr_expect_not_null(p, ...) cr_expect((p) != NULL)
#define cr_assert_not_null(p, ...) cr_assert((p) != NULL)
#define cr_expect_str_eq(a, b, ...) cr_expect(strcmp(a, b) == 0)
#define cr_assert_str_eq(a, b, ...) cr_assert(strcmp(a, b) == 0)
#define cr_expect_str_empty(s, ...) cr_expect((s)[0] == '\0')
#define cr_skip(...) plain_skip()
#define cr_redirect_stderr plain_redirect_stderr
#define cr_expect_stderr_eq_str(text, ...) cr_expect(plain_stderr_is(text))

#endif
