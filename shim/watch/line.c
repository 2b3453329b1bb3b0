/* Writing a line.
 *
 *      12.345678 3 worker: recv(fd=5, buf=0x7f12, n=100, flags=0) = 10, parked 1.2 ms
 *      3 worker: recv(fd=5, buf, n=100, flags=0) = 10, parked                                   GEV_TRACE_PLAIN=1
 *
 * The plain form has nothing in it that differs from run to run: no times, no addresses. What an argument is, its declaration says. */
#include "shim/watch/line.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shim/base/options.h"
#include "shim/base/patch.h"
#include "shim/libc/kernel.h"

struct text {
	char at[1024];
	size_t n;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(t->at + t->n, sizeof t->at - t->n, format, args);
	va_end(args);
	if (n > 0)
		t->n = t->n + (size_t)n < sizeof t->at ? t->n + (size_t)n : sizeof t->at - 1;
}

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool plain(void)
{
	return patch_options()->trace_plain != 0;
}

/* ---- Values by their declarations ---- */

static bool has(const char *type, size_t n, const char *word)
{
	return memmem(type, n, word, strlen(word)) != NULL;
}

/* A program may give what is no memory, and be told EFAULT. Linux reads the mask before it looks at what to do with it (kernel/signal.c,
 * rt_sigprocmask), and this is nothing that it could do. */
static bool is_memory(uintptr_t at)
{
	return kernel_call6(SYS_rt_sigprocmask, -1, (long)(at & ~(uintptr_t)7), 0, 8, 0, 0) != -EFAULT;
}

static bool is_string(const char *type, size_t n)
{
	const char *at = memmem(type, n, "const char *", 12);
	size_t name = at ? (size_t)(type + n - at - 12) : 0;
	return at && memchr(at + 12, '*', name) == NULL && memchr(at + 12, '[', name) == NULL;
}

static bool is_time(const char *type, size_t n)
{
	return has(type, n, "const struct timespec *");
}

static void add_string(struct text *t, const char *string)
{
	enum { MOST = 32 };
	bool more = true;
	add(t, "\"");
	for (int i = 0; i <= MOST && more; i++) {
		if (((uintptr_t)&string[i] & 7) == 0 && !is_memory((uintptr_t)&string[i]))
			break;
		more = string[i] != '\0';
		if (more && i < MOST)
			add(t, isprint((unsigned char)string[i]) && string[i] != '"' ? "%c" : "\\x%02x",
			    (unsigned char)string[i]);
	}
	add(t, "\"%s", more ? "..." : "");
}

static void add_pointer(struct text *t, const char *type, size_t n, uintptr_t value)
{
	if (is_string(type, n) && is_memory(value)) {
		add_string(t, (const char *)value);
	} else if (is_time(type, n) && is_memory(value) && is_memory(value + sizeof(long))) {
		const struct timespec *time = (const struct timespec *)value;
		add(t, plain() && has(type, n, "until") ? "(time)" : "%lld.%09ld s", (long long)time->tv_sec,
		    time->tv_nsec);
	} else {
		add(t, "0x%zx", (size_t)value);
	}
}

static bool is_wide(const char *type, size_t n)
{
	return has(type, n, "size_t") || has(type, n, "long") || has(type, n, "off_t") || has(type, n, "nfds_t");
}

static bool is_handle(const char *type, size_t n)
{
	return has(type, n, "pthread_t ") || has(type, n, "thrd_t ") || has(type, n, "sigval") ||
	       has(type, n, "va_list");
}

static void add_number(struct text *t, const char *type, size_t n, uintptr_t value)
{
	if (is_wide(type, n))
		add(t, has(type, n, "unsigned") ? "%lu" : "%ld", (long)value);
	else
		add(t, has(type, n, "unsigned") || has(type, n, "socklen_t") || has(type, n, "mode_t") ? "%u" : "%d",
		    (int)value);
}

static bool is_pointer(const char *type, size_t n)
{
	return memchr(type, '*', n) != NULL || memchr(type, '[', n) != NULL || has(type, n, "handler_t");
}

/* The declared name: the last word before a bracket, or the one in (*name). */
static void add_name(struct text *t, const char *declaration, size_t n)
{
	const char *star = memmem(declaration, n, "(*", 2);
	const char *end = declaration + n;
	if (star) {
		const char *close = memchr(star, ')', (size_t)(end - star));
		add(t, "%.*s", (int)(close - star - 2), star + 2);
		return;
	}
	const char *bracket = memchr(declaration, '[', n);
	end = bracket ? bracket : end;
	const char *start = end;
	while (start > declaration && (isalnum((unsigned char)start[-1]) || start[-1] == '_'))
		start--;
	add(t, "%.*s", (int)(end - start), start);
}

static void add_argument(struct text *t, const char *declaration, size_t n, uintptr_t value)
{
	bool pointer = is_pointer(declaration, n);
	bool shown = is_string(declaration, n) || is_time(declaration, n);
	add_name(t, declaration, n);
	if (pointer && value == 0) {
		add(t, "=NULL");
	} else if (plain() && ((pointer && !shown) || is_handle(declaration, n))) {
		return;
	} else {
		add(t, "=");
		if (pointer)
			add_pointer(t, declaration, n, value);
		else if (is_handle(declaration, n))
			add(t, "0x%zx", (size_t)value);
		else
			add_number(t, declaration, n, value);
	}
}

/* The next declaration of "(a, b)(c, d), e": up to a comma outside of brackets. */
static size_t declaration_length(const char *at)
{
	int depth = 0;
	size_t n = 0;
	for (; at[n] && (depth > 0 || (at[n] != ',' && at[n] != ')')); n++)
		depth += (at[n] == '(') - (at[n] == ')');
	return n;
}

static void add_result(struct text *t, const struct patch_line *line, uintptr_t result, int error)
{
	size_t n = strlen(line->type);
	if (strcmp(line->type, "void") == 0)
		return;
	add(t, " = ");
	if (is_pointer(line->type, n)) {
		add(t, result == 0 ? "NULL" : plain() ? "pointer" : "0x%zx", (size_t)result);
		return;
	}
	add_number(t, line->type, n, result);
	const char *name = NULL;
	if ((is_wide(line->type, n) ? (long)result : (int)result) == -1)
		name = strerrorname_np(error);
	else if (strncmp(line->name, "pthread_", 8) == 0 && (int)result > 0)
		name = strerrorname_np((int)result);
	if (name)
		add(t, " %s", name);
}

/* ---- The line ---- */

void patch_line_begin(struct patch_line *line, const char *name, const char *type, const char *params)
{
	*line = (struct patch_line){.name = name, .type = type, .params = params, .began = now()};
	struct gev_watch_self self;
	line->counted = patch_started && patch_gev->watch_self(&self);
	if (line->counted) {
		line->ran = self.ran;
		line->parks = self.parks;
	}
}

void patch_line_end(const struct patch_line *line, uintptr_t result, ...)
{
	int saved = errno;
	struct text t = {.n = 0};
	struct gev_watch_self self = {.id = 1, .name = "main"};
	bool counted = patch_started && patch_gev->watch_self(&self);
	int64_t ended = now();
	if (!plain())
		add(&t, "%lld.%06lld ", (long long)(ended / 1000000000), (long long)(ended / 1000 % 1000000));
	add(&t, "%u%s%s: %s(", self.id, *self.name ? " " : "", self.name, line->name);
	va_list args;
	va_start(args, result);
	for (const char *at = line->params + 1; *at && *at != ')';) {
		size_t n = declaration_length(at);
		if (n == 4 && memcmp(at, "void", 4) == 0)
			break;
		add_argument(&t, at, n, va_arg(args, uintptr_t));
		at += n;
		if (*at == ',') {
			add(&t, ", ");
			at += 1 + strspn(at + 1, " ");
		}
	}
	va_end(args);
	add(&t, ")");
	add_result(&t, line, result, saved);
	if (counted && line->counted && self.parks != line->parks) {
		add(&t, ", parked");
		if (!plain())
			add(&t, " %.3f ms", (double)(ended - line->began - (int64_t)(self.ran - line->ran)) / 1e6);
	}
	t.at[t.n++] = '\n';
	/* Past libc: its own is a place where a thread is cancelled, and that of a library that was preloaded after ours might be traced in turn. Where
	 * standard error is closed, there is nowhere left to say it. */
	kernel_write(STDERR_FILENO, t.at, t.n);
	errno = saved;
}
