/* Prints symbols.def for the scripts, one row a line, fields between tabs:
 *
 *     symbol  state  family  detail
 *
 * state and detail: green, fixture; aware, fixture; shared, fixture; within, fixture; alias, the name it stands for; original, the version or "-"; pass, the reason; later, what happens until then.
 * An alias has no family of its own: "-". With the argument "reasons": the closed list, reason and sentence. */
#include <stdio.h>
#include <string.h>

#include "shim/base/ledger.h"

static const char *const reasons[][2] = {
#define R(name, sentence) {#name, sentence},
	PATCH_REASONS(R)
#undef R
};

static void row(const char *symbol, const char *state, const char *family, const char *detail)
{
	printf("%s\t%s\t%s\t%s\n", symbol, state, family, detail ? detail : "-");
}

/* Indexed by the enumerator: a row whose reason is not in the list does not compile. */
static const char *reason(enum patch_reason r)
{
	return reasons[r][0];
}

#define GREEN(ret, name, params, args, family, version, fixture) row(#name, "green", #family, fixture);
#define AWARE(ret, name, params, args, family, version, fixture) row(#name, "aware", #family, fixture);
#define SHARED(ret, name, params, args, family, version, fixture) row(#name, "shared", #family, fixture);
#define REAL(ret, name, params, args, version) row(#name, "original", "-", version);
#define ALIAS(alias, name) row(#alias, "alias", "-", #name);
#define PASS(name, family, why) row(#name, "pass", #family, reason(why));
#define OLD(name, family) PASS(name, family, OLD_PROGRAMS)
#define LATER(name, family, why) row(#name, "later", #family, why);
#define FORMAT(ret, name, params, last, call, fixture) row(#name, "green", "stdio", fixture);
#define WITHIN(name, fixture) row(#name, "within", "stdio", fixture);

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "reasons") == 0) {
		for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
			printf("%s\t%s\n", reasons[i][0], reasons[i][1]);
		return 0;
	}
#include "shim/base/symbols.def"
	return 0;
}
