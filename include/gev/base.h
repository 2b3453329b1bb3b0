/* gev/base.h: what the other headers share. */
#ifndef GEV_BASE_H
#define GEV_BASE_H

#ifdef __cplusplus
#define GEV_BEGIN extern "C" {
#define GEV_END }
#else
#define GEV_BEGIN
#define GEV_END
#endif

#ifdef GEV_BUILDING
#define GEV_API __attribute__((visibility("default")))
#else
#define GEV_API
#endif

/* Which way a descriptor must become ready. Errors and hang-ups make both ready. */
enum {
	GEV_READABLE = 1,
	GEV_WRITABLE = 2,
};

/* Wait without end. */
#define GEV_FOREVER (__builtin_inf())

#endif
