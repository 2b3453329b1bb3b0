/* address: where the functions that a program calls really are: run it without the patch, and with it.
 *
 * Plain POSIX but for dladdr; includes no header of this project. `libc says` is what one gets who asks libc itself by a handle of it, as
 * interpreters do that call C: preloaded, the shim's functions too.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* "libc.so" of "/lib/x86_64-linux-gnu/libc.so.6". */
static const char *object_of(void *address)
{
	static char name[64];
	Dl_info info;
	const char *slash;
	char *suffix;

	if (!dladdr(address, &info) || !info.dli_fname)
		return "nowhere";
	slash = strrchr(info.dli_fname, '/');
	snprintf(name, sizeof(name), "%s", slash ? slash + 1 : info.dli_fname);
	suffix = strstr(name, ".so");
	if (suffix)
		suffix[3] = '\0';
	return name;
}

int main(void)
{
	static const char *const names[] = {"sleep", "recv", "accept", "pthread_create", "toupper"};
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	if (!libc) {
		fprintf(stderr, "address: %s\n", dlerror());
		return 1;
	}
	printf("%-15s %-15s %-12s %s\n", "function", "is called at", "in", "libc says");
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		void *called = dlsym(RTLD_DEFAULT, names[i]);

		printf("%-15s %-15p %-12s %p\n", names[i], called, object_of(called), dlsym(libc, names[i]));
	}
	return 0;
}
