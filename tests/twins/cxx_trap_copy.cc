/* What a thread starts with is libc's initial state, and not its creator's: main has all of it in use when threads are made (a pending error of the
 * loader, objects to be destroyed at its end, a locale, answers in static buffers), and keeps it. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <locale.h>
#include <netdb.h>

#include "twin.h"

static int destroyed;

struct Counted {
	long value = 0;
	~Counted()
	{
		destroyed++;
	}
};

static thread_local Counted counted;

static void *run(void *arg)
{
	long me = reinterpret_cast<long>(arg);
	check(dlerror() == nullptr && errno == 0 && h_errno == 0);
	check(uselocale(nullptr) == LC_GLOBAL_LOCALE);
	check(dlsym(RTLD_DEFAULT, me % 2 ? "no_such_symbol" : "malloc") == nullptr || me % 2 == 0);
	struct in_addr address = {htonl(static_cast<in_addr_t>(0x7f000000 + me))};
	const char *text = inet_ntoa(address);
	const char *unknown = strerror(3000 + static_cast<int>(me));
	if (me < 5)
		counted.value = me;
	until_reported(); /* the others come meanwhile */
	char expected[64];
	snprintf(expected, sizeof expected, "127.0.0.%ld", me);
	check(!strcmp(text, expected));
	snprintf(expected, sizeof expected, "Unknown error %ld", 3000 + me);
	check(!strcmp(unknown, expected));
	return nullptr;
}

static void *first(void *arg)
{
	return arg;
}

int main()
{
	join(spawn(first, nullptr));
	check(dlsym(RTLD_DEFAULT, "main's_missing_symbol") == nullptr);
	counted.value = 42;
	locale_t own = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
	check(own != nullptr);
	uselocale(own);
	struct in_addr address = {htonl(0x01020304)};
	const char *text = inet_ntoa(address), *unknown = strerror(2000);
	h_errno = 3;
	errno = 55;

	pthread_t t[10];
	for (long i = 0; i < 10; i++)
		t[i] = spawn(run, reinterpret_cast<void *>(i));
	report_threads();
	for (pthread_t one : t)
		join(one);

	check(h_errno == 3 && uselocale(nullptr) == own && counted.value == 42);
	check(!strcmp(text, "1.2.3.4") && !strcmp(unknown, "Unknown error 2000"));
	const char *why = dlerror();
	check(why && strstr(why, "main's_missing_symbol"));
	printf("destroyed so far: %d\n", destroyed);
	return 0;
}
