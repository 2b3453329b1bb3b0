/* real.h: libc's own functions. `real.read` is libc's read, found at its first call and not before:
 * a program that never calls a function never pays for the look-up. Made from symbols.def. */
#ifndef PATCH_REAL_H
#define PATCH_REAL_H

#include "shim/base/libc.h"
#include "shim/base/parameters.h"

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
#define FORMAT(ret, name, params, last, call, fixture) ret patch_##name params;
#define REAL(ret, name, params, args, version)
#include "shim/base/symbols.def"
#undef GREEN
#undef FORMAT
#undef REAL
#undef ALIAS
#undef PASS
#undef LATER

/* Exports patch_NAME as NAME. In assembler, because libc's headers declare NAME with attributes (nothrow, nonnull,
 * access…) that a C alias would have to repeat one by one. */
#define EXPORT(name) EXPORT_AS(name, name)
#define EXPORT_AS(symbol, name)                                                                                        \
	__asm__(".globl " #symbol "\n\t.type " #symbol ", @function\n\t.set " #symbol ", patch_" #name)

/* As EXPORT, for a name that libc has in several versions with several meanings (shim/libpatch.map): those that mean this
 * function, the default one first. */
#if defined(__x86_64__)
#define EXPORT_VERSION(name, version)                                                                                  \
	__asm__(".globl " #name "_as\n\t.type " #name "_as, @function\n\t.set " #name "_as, patch_" #name              \
		"\n\t.symver " #name "_as, " #name "@@" version ", remove")
#define EXPORT_VERSIONS(name, version, older)                                                                          \
	EXPORT_VERSION(name, version);                                                                                 \
	__asm__(".globl " #name "_older\n\t.type " #name "_older, @function\n\t.set " #name "_older, patch_" #name     \
		"\n\t.symver " #name "_older, " #name "@" older ", remove")
#else
#define EXPORT_VERSION(name, version) EXPORT(name)
#define EXPORT_VERSIONS(name, version, older) EXPORT(name)
#endif

#endif
