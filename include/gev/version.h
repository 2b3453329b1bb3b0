/* gev/version.h: which libgev this is. */
#ifndef GEV_VERSION_H
#define GEV_VERSION_H

#include <gev/base.h>

GEV_BEGIN

/* The version of the library at run time, "0.1.0". Static; any thread. */
GEV_API const char *gev_version(void);

/* How greenlets are switched here: "fast" or "ucontext". Static; any thread. */
GEV_API const char *gev_context_backend(void);

GEV_END

#endif
