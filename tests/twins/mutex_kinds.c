/* What lock, trylock and unlock answer for each kind of mutex, to the owner and to others, from every initialiser. */
#include "twin.h"

static pthread_mutex_t *subject;
static sem_t here, go;

static void *other(void *arg)
{
	printf("  other: trylock %s", strerrorname_np(pthread_mutex_trylock(subject)));
	if (arg)
		printf(", unlock %s", strerrorname_np(pthread_mutex_unlock(subject)));
	puts("");
	sem_post(&here);
	pthread_mutex_lock(subject);
	wait_for(&go);
	pthread_mutex_unlock(subject);
	return NULL;
}

static void ask(const char *what, pthread_mutex_t *mutex, int kind)
{
	puts(what);
	subject = mutex;
	show_error(pthread_mutex_lock(mutex));
	if (kind == PTHREAD_MUTEX_RECURSIVE || kind == PTHREAD_MUTEX_ERRORCHECK)
		show_error(pthread_mutex_lock(mutex));
	show_error(pthread_mutex_trylock(mutex));
	pthread_t t = spawn(other, kind == PTHREAD_MUTEX_RECURSIVE || kind == PTHREAD_MUTEX_ERRORCHECK ? mutex : NULL);
	wait_for(&here);
	if (kind == PTHREAD_MUTEX_RECURSIVE) {
		show_error(pthread_mutex_unlock(mutex));
		show_error(pthread_mutex_unlock(mutex));
	}
	show_error(pthread_mutex_unlock(mutex));
	sem_post(&go);
	join(t);
	if (kind == PTHREAD_MUTEX_RECURSIVE || kind == PTHREAD_MUTEX_ERRORCHECK)
		show_error(pthread_mutex_unlock(mutex));
	show_error(pthread_mutex_destroy(mutex));
}

int main(void)
{
	static pthread_mutex_t normal = PTHREAD_MUTEX_INITIALIZER, recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
			       errorcheck = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP,
			       adaptive = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
	static const struct {
		const char *name;
		int kind;
	} kinds[] = {
		{"normal", PTHREAD_MUTEX_NORMAL},        {"default", PTHREAD_MUTEX_DEFAULT},
		{"recursive", PTHREAD_MUTEX_RECURSIVE},  {"errorcheck", PTHREAD_MUTEX_ERRORCHECK},
		{"adaptive", PTHREAD_MUTEX_ADAPTIVE_NP},
	};
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	ask("static normal", &normal, PTHREAD_MUTEX_NORMAL);
	ask("static recursive", &recursive, PTHREAD_MUTEX_RECURSIVE);
	ask("static errorcheck", &errorcheck, PTHREAD_MUTEX_ERRORCHECK);
	ask("static adaptive", &adaptive, PTHREAD_MUTEX_ADAPTIVE_NP);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		pthread_mutexattr_t attr;
		pthread_mutex_t mutex;
		int kind = -1;
		check(pthread_mutexattr_init(&attr) == 0);
		show_error(pthread_mutexattr_settype(&attr, kinds[i].kind));
		check(pthread_mutexattr_gettype(&attr, &kind) == 0 && kind == kinds[i].kind);
		check(pthread_mutex_init(&mutex, &attr) == 0);
		check(pthread_mutexattr_destroy(&attr) == 0);
		ask(kinds[i].name, &mutex, kinds[i].kind);
	}
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	show_error(pthread_mutexattr_settype(&attr, 77));
	return 0;
}
