/* getrandom, getentropy, arc4random: they wait while the system boots, until the kernel has its first random bits, and never after that (random(7)).
 *
 * So it is asked without waiting first. */
#include <sys/random.h>

#include "shim/libc/visit.h"
#include "shim/libc/wait.h"

struct drawing {
	struct visit visit;
	void *to;
	size_t n;
	unsigned flags;
	ssize_t result;
};

static void draw(struct visit *v)
{
	struct drawing *d = (struct drawing *)(void *)v;
	d->result = real.getrandom(d->to, d->n, d->flags);
}

static APART ssize_t getrandom_green(void *to, size_t n, unsigned flags)
{
	struct drawing d = {{.call = draw}, to, n, flags, 0};
	int saved = errno;
	ssize_t r = real.getrandom(to, n, flags | GRND_NONBLOCK);
	if (r >= 0 || errno != EAGAIN)
		return r;
	errno = saved;
	visit(&d.visit, true);
	return d.result;
}

ssize_t patch_getrandom(void *to, size_t n, unsigned flags)
{
	if (!patch_green())
		return real.getrandom(to, n, flags);
	io_cancellation_point();
	return flags & GRND_NONBLOCK ? real.getrandom(to, n, flags) : getrandom_green(to, n, flags);
}
EXPORT(getrandom);

/* Once it has them, there is nothing to wait for in libc's own calls, which are no cancellation points. */
static void wait_for_first(void)
{
	static bool there; /* atomic */
	char byte;
	if (likely(__atomic_load_n(&there, __ATOMIC_RELAXED)) || !patch_green())
		return;
	int saved = errno;
	if (getrandom_green(&byte, 1, 0) == 1)
		__atomic_store_n(&there, true, __ATOMIC_RELAXED);
	errno = saved;
}

int patch_getentropy(void *to, size_t n)
{
	wait_for_first();
	return real.getentropy(to, n);
}
EXPORT(getentropy);

uint32_t patch_arc4random(void)
{
	wait_for_first();
	return real.arc4random();
}
EXPORT(arc4random);

void patch_arc4random_buf(void *to, size_t n)
{
	wait_for_first();
	real.arc4random_buf(to, n);
}
EXPORT(arc4random_buf);

uint32_t patch_arc4random_uniform(uint32_t below)
{
	wait_for_first();
	return real.arc4random_uniform(below);
}
EXPORT(arc4random_uniform);
