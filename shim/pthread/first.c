/* Before the first green thread, and after a fork: who is main, and whose number is whose. */
#include <dlfcn.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>

#include "shim/libc/visit.h"
#include "shim/pthread/cancel.h"
#include "shim/pthread/futex_bits.h"
#include "shim/pthread/futex_pi.h"
#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"

__thread struct patch_thread patch_me;

/* The OS thread's own pthread_self(): main's, or in a forked child that of the thread that forked. */
static pthread_t os_thread;

ptrdiff_t patch_pthread_field(const char *name)
{
	/* { size in bits, number of elements, offset } */
	const uint32_t *field = dlsym(RTLD_DEFAULT, name);
	return field ? (ptrdiff_t)field[2] : -1;
}

static ptrdiff_t tid_offset(void)
{
	static ptrdiff_t offset;
	ptrdiff_t known = __atomic_load_n(&offset, __ATOMIC_RELAXED);
	if (known == 0) {
		known = patch_pthread_field("_thread_db_pthread_tid");
		__atomic_store_n(&offset, known, __ATOMIC_RELAXED);
	}
	return known;
}

int patch_tid_of(pthread_t id)
{
	ptrdiff_t offset = tid_offset();
	return offset > 0 ? *(const int *)(const void *)((const char *)id + offset) : 0;
}

int patch_tid_look_up(void)
{
	int tid = patch_tid_of(pthread_self());
	if (tid == 0)
		tid = (int)syscall(SYS_gettid);
	patch_me.tid = tid;
	return tid;
}

struct patch_thread *patch_thread_find(pthread_t id)
{
	/* An invented number was that of an identity of ours, whatever became of the record. */
	static struct patch_thread gone = {.state = PATCH_GONE};
	struct patch_thread *t = patch_thread_at(id);
	if (patch_thread_state(t) != PATCH_FOREIGN)
		return t;
	if (likely(!patch_started) || patch_tid_of(id) < PATCH_FIRST_INVENTED)
		return NULL;
	/* A greenlet of libgev's own API has such a number too, and no record: nobody else can name it. */
	return id == pthread_self() ? NULL : &gone;
}

static void adopt_main(struct patch_thread *main)
{
	main->greenlet = patch_gev->self();
	main->is_main = true;
	/* What main said about cancellation before we listened. From now on libc's own calls do not act on it: the hub makes them too. */
	int old;
	real.pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	main->uncancellable = old == PTHREAD_CANCEL_DISABLE;
	real.pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old);
	main->asynchronous = old == PTHREAD_CANCEL_ASYNCHRONOUS;
	os_thread = pthread_self();
	patch_robust_begin();
	__atomic_store_n(&main->state, PATCH_JOINABLE, __ATOMIC_RELEASE);
	patch_cancel_adopted(main);
}

/* libc's pthread_create, for a stack that no machine has: it fails, but has done by then what libc leaves undone until its first thread (nptl/
 * pthread_create.c, late_init): the handler by which setuid and its family reach every thread. A libc that believes in threads already would never
 * do it, and the first such call beside a real thread would end the process by that signal. */
static void tell_libc(void)
{
	pthread_t none;
	pthread_attr_t attr;
	if (pthread_attr_init(&attr) == 0) {
		pthread_attr_setstacksize(&attr, PTRDIFF_MAX & ~(size_t)0xffff);
		patch_create_real(&none, &attr, NULL, NULL);
		pthread_attr_destroy(&attr);
	}
	/* libstdc++ and others leave out their locking while this is set (sys/single_threaded.h). libc has cleared it by now; where the program
	 * has a copy of its own, that too. */
	__libc_single_threaded = 0;
}

void patch_threads_begin(void)
{
	static bool begun;
	if (likely(begun))
		return;
	tell_libc();
	/* In a program that links libgev, one of its greenlets may be the first to come here, with an identity of its
	 * own. */
	if (patch_tid_of(pthread_self()) != getpid())
		return;
	adopt_main(&patch_me);
	resolver_begin();
	patch_signals_begin();
	begun = true;
}

void patch_threads_forked(void)
{
	patch_numbers_forked();
	patch_bits_forked();
	patch_pi_forked();
	patch_real_threads = false;
	if (patch_me.state == PATCH_FOREIGN)
		return;
	patch_me.greenlet = patch_gev->self();
	os_thread = pthread_self();
	patch_signals_forked();
}

#if defined(__x86_64__)
#include <asm/prctl.h>

static void set_thread_pointer(pthread_t to)
{
	/* Inline: a call in between would run with one thread pointer and return with another. */
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"((long)SYS_arch_prctl), "D"((long)ARCH_SET_FS), "S"((long)to)
			 : "rcx", "r11", "memory");
}
#elif defined(__aarch64__)
static void set_thread_pointer(pthread_t to)
{
	/* libc's struct pthread, whose address pthread_self() is, lies before it, always at the same distance. */
	uintptr_t distance = (uintptr_t)__builtin_thread_pointer() - (uintptr_t)pthread_self();
	__asm__ volatile("msr tpidr_el0, %0" : : "r"(to + distance) : "memory");
}
#endif

/* noinline: no address of a thread-local variable may be carried across the change. */
static __attribute__((noinline)) void call(void (*f)(void *arg), void *arg)
{
	f(arg);
}

void patch_as_os_thread_here(void (*f)(void *arg), void *arg)
{
	pthread_t self = pthread_self();
	if (os_thread == 0 || os_thread == self) {
		call(f, arg);
		return;
	}
	patch_signals_touched++; /* a signal handler must not take the one for the other */
	set_thread_pointer(os_thread);
	call(f, arg);
	set_thread_pointer(self);
	patch_signals_touched--;
}

void patch_as_os_thread(void (*f)(void *arg), void *arg)
{
	if (patch_self())
		patch_as_os_thread_here(f, arg);
	else
		call(f, arg);
}
