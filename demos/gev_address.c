/* gev_address: address once more, from a greenlet of a program that is linked with libgev.
 *
 * Linking patches nothing: sleep stays libc's and would stop every greenlet, gev_sleep is libgev's and stops the
 * caller only.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <gev/gev.h>

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

static void *look(void *arg)
{
	static const char *const names[] = {"gev_spawn", "gev_sleep", "gev_recv", "sleep", "recv", "pthread_create"};

	(void)arg;
	printf("%-15s %-15s %s\n", "function", "is called at", "in");
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		void *called = dlsym(RTLD_DEFAULT, names[i]);

		printf("%-15s %-15p %s\n", names[i], called, object_of(called));
	}
	return NULL;
}

int main(void)
{
	struct gev_greenlet *looker = gev_spawn(look, NULL);

	if (!looker) {
		perror("gev_spawn");
		return 1;
	}
	int failed = gev_join(looker, GEV_FOREVER, NULL);

	gev_release(looker);
	return failed < 0;
}
