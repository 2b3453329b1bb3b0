/* The wrappers that are made from their rows (streams.def), and those of functions that print by way of another. */
#include <err.h>
#include <stdlib.h>

#include "shim/stdio/stream.h"

#define GREEN(ret, name, params, args, family, version, fixture)
#define REAL(ret, name, params, args, version)
#define PASS(name, family, reason)
#define LATER(name, family, why)
#define ALIAS(alias, name) EXPORT_AS(alias, name);

/* What is done when there are green threads stands apart, so that without them a wrapper saves no register. */
#define STREAM(ret, name, params, args, stream, fixture)                                                               \
	static __attribute__((noinline)) ret turn_##name params                                                        \
	{                                                                                                              \
		STREAM_TURN(stream);                                                                                   \
		return real.name args;                                                                                 \
	}                                                                                                              \
	ret patch_##name params                                                                                        \
	{                                                                                                              \
		if (likely(!streams_ours))                                                                             \
			return real.name args;                                                                         \
		return turn_##name args;                                                                               \
	}                                                                                                              \
	EXPORT(name);

#define FORMAT(ret, name, params, last, call, fixture)                                                                 \
	ret patch_##name params                                                                                        \
	{                                                                                                              \
		va_list ap __attribute__((cleanup(end_arguments)));                                                    \
		va_start(ap, last);                                                                                    \
		return call;                                                                                           \
	}                                                                                                              \
	EXPORT(name);

static void end_arguments(va_list *ap)
{
	va_end(*ap);
}

#include "shim/base/streams.def"

/* misc/err.c */
void patch_verr(int status, const char *format, va_list ap)
{
	patch_vwarn(format, ap);
	exit(status);
}
EXPORT(verr);

void patch_verrx(int status, const char *format, va_list ap)
{
	patch_vwarnx(format, ap);
	exit(status);
}
EXPORT(verrx);
