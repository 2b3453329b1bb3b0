/* Functions of libc's asked for by dlsym: a thread of a library that has a pthread_create of its own; reading, waiting and locking by what a handle of
 * libc's gives. Each answer depends on who asks, as natively. */
#include <dlfcn.h>

#include "twin.h"

int library_create(pthread_t *id, void *(*entry)(void *), void *arg);
int library_next_is_none(void);
__attribute__((visibility("default"))) int whose(void);

static int gate[2], other_gate[2];
static sem_t here;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static bool told;

int whose(void)
{
	return 1;
}

static void *libc;

static void *in_libc(const char *name)
{
	void *f = dlsym(libc, name);
	check(f != NULL);
	return f;
}

/* Each waits in libc's own, as far as it knows. */
static void *read_one(void *fd)
{
	ssize_t (*read_it)(int, void *, size_t) = (ssize_t(*)(int, void *, size_t))in_libc("read");
	char byte = 0;
	sem_post(&here);
	check(read_it(*(int *)fd, &byte, 1) == 1);
	return (void *)(intptr_t)byte;
}

static void *wait_until_told(void *arg)
{
	int (*lock)(pthread_mutex_t *) = (int (*)(pthread_mutex_t *))in_libc("pthread_mutex_lock");
	int (*unlock)(pthread_mutex_t *) = (int (*)(pthread_mutex_t *))in_libc("pthread_mutex_unlock");
	int (*wait)(pthread_cond_t *, pthread_mutex_t *) =
		(int (*)(pthread_cond_t *, pthread_mutex_t *))in_libc("pthread_cond_wait");
	check(lock(&mutex) == 0);
	sem_post(&here);
	while (!told)
		check(wait(&cond, &mutex) == 0);
	check(unlock(&mutex) == 0);
	return arg;
}

static void tell(void)
{
	pthread_mutex_lock(&mutex);
	told = true;
	pthread_mutex_unlock(&mutex);
	pthread_cond_signal(&cond);
}

int main(void)
{
	typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	pthread_t of_library, of_libc, of_program;
	sem_init(&here, 0, 0);
	check(pipe(gate) == 0 && pipe(other_gate) == 0);
	libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	check(libc != NULL);

	check(library_create(&of_library, read_one, &gate[0]) == 0);
	create *make = (create *)in_libc("pthread_create");
	check(make(&of_libc, NULL, read_one, &other_gate[0]) == 0);
	of_program = spawn(wait_until_told, NULL);
	for (int i = 0; i < 3; i++)
		wait_for(&here);
	report_threads();
	tell();
	printf("told: %d\n", join(of_program) == NULL);
	write_all(gate[1], "a", 1);
	write_all(other_gate[1], "b", 1);
	printf("read %d\n", (int)(intptr_t)join(of_library));
	printf("read %d\n", (int)(intptr_t)join(of_libc));

	printf("as it is called: %d\n", in_libc("read") == (void *)read && dlsym(RTLD_DEFAULT, "read") == (void *)read);
	printf("by version: %d\n", dlvsym(libc, "pthread_cond_wait", "GLIBC_0") == NULL);
	printf("what none of ours is: %d\n", in_libc("strlen") == dlsym(RTLD_NEXT, "strlen"));
	printf("next to the program: %d\n", ((int (*)(void))dlsym(RTLD_NEXT, "whose"))());
	printf("next to the library: none %d\n", library_next_is_none());
	check(dlsym(libc, "no_such_function") == NULL);
	printf("said: %d\n", strstr(dlerror(), "no_such_function") != NULL);
	return 0;
}
