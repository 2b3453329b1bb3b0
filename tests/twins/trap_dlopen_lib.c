/* The library of trap_dlopen: thread-local variables of both kinds, and a constructor and destructor that speak. */
#include <stdio.h>

__attribute__((visibility("default"))) int library_next(void);
__attribute__((visibility("default"))) int *library_static_tls(void);

static __thread int dynamic = 100;
static __thread __attribute__((tls_model("initial-exec"))) int early = 200;

__attribute__((constructor)) static void loaded(void)
{
	puts("library loaded");
}

__attribute__((destructor)) static void unloaded(void)
{
	puts("library unloaded");
}

int library_next(void)
{
	return dynamic++;
}

int *library_static_tls(void)
{
	return &early;
}
