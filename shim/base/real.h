/* real.h: libc's own functions. `real.read` is libc's read, found at its first call and not before:
 * a program that never calls a function never pays for the look-up. Made from symbols.def. */
#ifndef PATCH_REAL_H
#define PATCH_REAL_H

#include "shim/base/libc.h"

#define GREEN(ret, name, params, args, family, version, fixture) ret(*name) params;
#define REAL(ret, name, params, args, version) ret(*name) params;
#define ALIAS(alias, name)
#define PASS(name, family, reason)
#define LATER(name, family, why)
struct patch_real {
#include "shim/base/symbols.def"
};
#undef GREEN
#undef REAL

extern struct patch_real real;

/* libc's function of that name, as the next object after us exports it; NULL when it has none. */
void *patch_original(const char *name);

/* The prototypes of our wrappers. */
#define GREEN(ret, name, params, args, family, version, fixture) ret patch_##name params;
#define REAL(ret, name, params, args, version)
#include "shim/base/symbols.def"
#undef GREEN
#undef REAL
#undef ALIAS
#undef PASS
#undef LATER

/* Exports patch_NAME as NAME. In assembler, because libc's headers declare NAME with attributes (nothrow, nonnull,
 * access…) that a C alias would have to repeat one by one. */
#define EXPORT(name) EXPORT_AS(name, name)
#define EXPORT_AS(symbol, name)                                                                                        \
	__asm__(".globl " #symbol "\n\t.type " #symbol ", @function\n\t.set " #symbol ", patch_" #name)

#endif
