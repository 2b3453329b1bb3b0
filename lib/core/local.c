/* Greenlet locals: an array in each greenlet that has any, by the variable's number. The serial tells a number's next owner from its last. */
#include <gev/local.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/lock.h"
#include "lib/base/result.h"
#include "lib/core/extra.h"
#include "lib/core/hub.h"
#include "lib/core/park.h"

struct gev_local {
	size_t number;
	uint64_t serial;
	void (*destroy)(void *value);
};

struct gev__local {
	uint64_t serial; /* of the variable that the value is of; 0: none */
	void *value;
};

enum { LOCALS_MAX = 1024, ROUNDS = 4 /* as PTHREAD_DESTRUCTOR_ITERATIONS */ };

static struct gev_local *numbers[LOCALS_MAX];
static uint64_t last_serial;
static struct gev__lock lock; /* over both */

void gev__locals_lock(void)
{
	gev__lock(&lock);
}

void gev__locals_unlock(void)
{
	gev__unlock(&lock);
}

static int number(struct gev_local *local)
{
	int r = -EAGAIN;
	gev__lock(&lock);
	for (size_t i = 0; r < 0 && i < LOCALS_MAX; i++) {
		if (numbers[i])
			continue;
		local->number = i;
		local->serial = ++last_serial;
		numbers[i] = local;
		r = 0;
	}
	gev__unlock(&lock);
	return r;
}

struct gev_local *gev_local_new(void (*destroy)(void *value))
{
	struct gev_local *local = malloc(sizeof *local);
	if (local == NULL)
		return NULL;
	local->destroy = destroy;
	int r = number(local);
	if (r == 0)
		return local;
	free(local);
	errno = -r;
	return NULL;
}

void gev_local_free(struct gev_local *local)
{
	if (local == NULL)
		return;
	gev__lock(&lock);
	numbers[local->number] = NULL;
	gev__unlock(&lock);
	free(local);
}

static struct gev__local *find(const struct gev_local *local, const struct gev_greenlet *g)
{
	const struct gev__extra *x = g ? g->extra : NULL;
	if (x == NULL || local->number >= x->locals_n)
		return NULL;
	return &x->locals[local->number];
}

void *gev_local_get(const struct gev_local *local)
{
	const struct gev__local *l = find(local, gev__self());
	return l && l->serial == local->serial ? l->value : NULL;
}

static struct gev__local *make(const struct gev_local *local, struct gev_greenlet *g)
{
	enum { STEP = 8 };
	struct gev__extra *x = gev__extra(g);
	if (x == NULL)
		return NULL;
	if (local->number >= x->locals_n) {
		size_t n = local->number / STEP * STEP + STEP;
		g->hub->busy++;
		struct gev__local *more = realloc(x->locals, n * sizeof *more);
		g->hub->busy--;
		if (more == NULL)
			return NULL;
		memset(more + x->locals_n, 0, (n - x->locals_n) * sizeof *more);
		x->locals = more;
		x->locals_n = n;
	}
	return &x->locals[local->number];
}

static int set(struct gev_local *local, void *value)
{
	int error;
	struct gev_greenlet *g = gev__self_get(&error);
	if (g == NULL)
		return error;
	struct gev__local *l = make(local, g);
	if (l == NULL)
		return -ENOMEM;
	*l = (struct gev__local){.serial = local->serial, .value = value};
	return 0;
}

int gev_local_set(struct gev_local *local, void *value)
{
	return (int)gev__result(set(local, value));
}

/* What destroys the value at that number, or NULL. */
static void (*destructor(size_t at, uint64_t serial))(void *)
{
	gev__lock(&lock);
	const struct gev_local *local = numbers[at];
	void (*destroy)(void *) = local && local->serial == serial ? local->destroy : NULL;
	gev__unlock(&lock);
	return destroy;
}

void gev__locals_end(struct gev_greenlet *g)
{
	struct gev__extra *x = g->extra;
	bool any = x != NULL;
	for (int round = 0; any && round < ROUNDS; round++) {
		any = false;
		for (size_t i = 0; i < x->locals_n; i++) {
			struct gev__local l = x->locals[i];
			x->locals[i] = (struct gev__local){0};
			void (*destroy)(void *) = l.value ? destructor(i, l.serial) : NULL;
			if (destroy == NULL)
				continue;
			any = true;
			destroy(l.value);
		}
	}
}
