/* The functions that write a line around a call, and putting them in the way.
 *
 * One for every wrapper, made from its row of symbols.def, whose parameters tell the line what to print (line.c). They stand beside the wrappers, not in
 * them: what nobody traces does not pass here. A function of variable arguments (printf) has no line. */
#include "shim/watch/trace.h"

#include <string.h>

#include "shim/base/options.h"
#include "shim/base/patch.h"
#include "shim/watch/line.h"
#include "shim/watch/relink.h"

#define ALIAS(alias, name)
#define PASS(name, family, reason)
#define LATER(name, family, why)
#define REAL(ret, name, params, args, version)

/* What a function of another type leaves in the register of its result is of no meaning where it has none (void), and is cut to size elsewhere. */
#define GREEN(ret, name, params, args, family, version, fixture)                                                       \
	static ret trace_##name params                                                                                 \
	{                                                                                                              \
		struct patch_line line;                                                                                \
		patch_line_begin(&line, #name, #ret, #params);                                                         \
		uintptr_t(*call) params = (uintptr_t(*) params)(void *)patch_##name;                                   \
		uintptr_t result = call args;                                                                          \
		LINE_END args;                                                                                         \
		return (ret)result;                                                                                    \
	}
#define LINE_END(...) patch_line_end(&line, result, ##__VA_ARGS__)
/* In assembler, and not by that name. */
#pragma weak patch_vfork
#include "shim/base/symbols.def"
#undef GREEN
#undef ALIAS

/* In code and not in tables: a table of addresses would be relocated in every process that libpatch is loaded into. */
struct row {
	const char *family;
	void *wrapper;
	void *tracer;
};

static __attribute__((noinline)) bool fill(struct row *row, const char *family, void *wrapper, void *tracer)
{
	*row = (struct row){family, wrapper, tracer};
	return true;
}

static bool find(const char *name, struct row *row)
{
#define ALIAS(alias, name)
#define GREEN(ret, symbol, params, args, group, version, fixture)                                                      \
	if (strcmp(name, #symbol) == 0)                                                                                \
		return fill(row, #group, (void *)patch_##symbol, (void *)trace_##symbol);
#include "shim/base/symbols.def"
#undef GREEN
#undef ALIAS
	return false;
}

static const char *unaliased(const char *name)
{
#define ALIAS(alias, symbol)                                                                                           \
	if (strcmp(name, #alias) == 0)                                                                                 \
		return #symbol;
#define GREEN(ret, name, params, args, family, version, fixture)
#include "shim/base/symbols.def"
	return name;
}

/* A frame of ours must not stand under these when they return, or jump. */
static bool is_special(const char *name)
{
	static const char special[] = "vfork|_Fork|longjmp|__longjmp_chk|__libc_start_main";
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
	struct row row;
	name = unaliased(name);
	if (!find(name, &row) || (bound && bound != row.wrapper) || !wanted(row.family) || is_special(name))
		return NULL;
	return row.tracer;
}

void patch_trace(void)
{
	if (patch_options()->trace)
		patch_relink(choose);
}
