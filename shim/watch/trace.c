/* The functions that write a line around a call, and putting them in the way.
 *
 * One for every wrapper, made from its row of symbols.def, whose parameters tell the line what to print (line.c). They stand beside the wrappers, not in
 * them: what nobody traces does not pass here. A function of variable arguments (printf) has no line. */
#include "shim/watch/trace.h"

#include <string.h>

#include "shim/base/between.h"
#include "shim/base/options.h"
#include "shim/base/patch.h"
#include "shim/watch/line.h"
#include "shim/watch/relink.h"

#define ALIAS(alias, name)
#define PASS(name, family, reason)
#define LATER(name, family, why)
#define REAL(ret, name, params, args, version)

/* Of the parameters that a row's macros make (parameters.h), not of these macros. */
#define TEXT(...) TEXT_OF(__VA_ARGS__)
#define TEXT_OF(...) #__VA_ARGS__

/* What a function of another type leaves in the register of its result is of no meaning where it has none (void), and is cut to size elsewhere. */
#define GREEN(ret, name, params, args, family, version, fixture)                                                       \
	static ret trace_##name params                                                                                 \
	{                                                                                                              \
		struct patch_line line;                                                                                \
		patch_line_begin(&line, #name, #ret, TEXT(params));                                                    \
		uintptr_t(*call) params = (uintptr_t(*) params)(void *)patch_##name;                                   \
		uintptr_t result = call args;                                                                          \
		LINE_END args;                                                                                         \
		return (ret)result;                                                                                    \
	}
#define LINE_END(...) patch_line_end(&line, result, ##__VA_ARGS__)
/* In assembler, and not by that name. */
#pragma weak patch_vfork
#pragma weak patch_dlsym
#pragma weak patch_dlvsym
#include "shim/base/symbols.def"
#undef GREEN
#undef ALIAS

/* All names, one after the other. Strings and numbers need no relocation in each process that libpatch is loaded into, as a table of addresses would. */
#define ALIAS(alias, name)
#define GREEN(ret, name, params, args, family, version, fixture) #name "\0"
static const char names[] =
#include "shim/base/symbols.def"
	;
#undef GREEN
#define GREEN(ret, name, params, args, family, version, fixture) #family "\0"
static const char families[] =
#include "shim/base/symbols.def"
	;
#undef GREEN
#define GREEN(ret, name, params, args, family, version, fixture) ROW_##name,
enum {
#include "shim/base/symbols.def"
	ROWS
};
#undef GREEN
#undef ALIAS

/* By pairs: an alias, and what it means. */
#define ALIAS(alias, name) #alias "\0" #name "\0"
#define GREEN(ret, name, params, args, family, version, fixture)
static const char aliases[] =
#include "shim/base/symbols.def"
	;
#undef GREEN
#undef ALIAS

static const char *next(const char *word)
{
	return word + strlen(word) + 1;
}

static int row_of(const char *name)
{
	int row = 0;
	for (const char *at = names; *at; at = next(at), row++)
		if (strcmp(at, name) == 0)
			return row;
	return ROWS;
}

static const char *family_of(int row)
{
	const char *at = families;
	while (row-- > 0)
		at = next(at);
	return at;
}

static const char *unaliased(const char *name)
{
	for (const char *at = aliases; *at; at = next(next(at)))
		if (strcmp(at, name) == 0)
			return next(at);
	return name;
}

struct functions {
	void *wrapper;
	void *tracer;
};

static struct functions functions_of(int row)
{
	switch (row) {
#define ALIAS(alias, name)
#define GREEN(ret, name, params, args, family, version, fixture)                                                       \
	case ROW_##name:                                                                                               \
		return (struct functions){(void *)patch_##name, (void *)trace_##name};
#include "shim/base/symbols.def"
	default:
		return (struct functions){NULL, NULL};
	}
}

/* A frame of ours must not stand under these when they return, or jump; or a row says less than the function's arguments: execl's. */
static bool is_special(const char *name)
{
	static const char special[] =
		"vfork|_Fork|dlsym|dlvsym|longjmp|__longjmp_chk|__libc_start_main|execl|execle|execlp";
	/* Who calls it, it asks the stack (shim/base/between.h). */
	if (strcmp(name, "syscall") == 0)
		return patch_between_will_be();
	return gev__option_word(special, name, strlen(name)) >= 0;
}

static bool has(int64_t mask, const char *family)
{
	int place = gev__option_word(PATCH_TRACE_FAMILIES, family, strlen(family));
	return place >= 0 && (mask >> place & 1);
}

static bool wanted(const char *family)
{
	static const char all_sync[] = "mutex|cond|rwlock|barrier|spin|sem";
	int64_t mask = patch_options()->trace;
	if (mask == INT64_MAX)
		return true;
	if (gev__option_word(all_sync, family, strlen(family)) >= 0)
		return has(mask, family) || has(mask, "sync");
	return has(mask, family);
}

static void *choose(const char *name, void *bound)
{
	name = unaliased(name);
	int row = row_of(name);
	if (row == ROWS || !wanted(family_of(row)) || is_special(name))
		return NULL;
	struct functions f = functions_of(row);
	return bound == f.wrapper ? f.tracer : NULL;
}

void patch_trace(void)
{
	if (patch_options()->trace)
		patch_relink(choose);
}
