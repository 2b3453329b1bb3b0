/* A source of accounts that waits while libc holds the lock of getpwnam; other threads ask for accounts meanwhile. */
#include <dlfcn.h>
#include <netdb.h>
#include <nss.h>
#include <pwd.h>

#include "twin.h"

enum { THREADS = 4 };

static void *ask(void *arg)
{
	char name[16];
	snprintf(name, sizeof name, "user%ld", (long)arg);
	check(getpwnam(name) != NULL);
	return arg;
}

int main(void)
{
	pthread_t t[THREADS];
	/* libc finds by its name what is loaded already. */
	check(dlopen("libtwin_trap_nss.so", RTLD_NOW) != NULL);
	/* As nsswitch.conf would: "passwd: twin", which is libnss_twin.so.2. */
	check(__nss_configure_lookup("passwd", "twin") == 0);
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(ask, (void *)i);
	for (long i = 0; i < THREADS; i++)
		check(join(t[i]) == (void *)i);
	puts("every account was found");
	return 0;
}
