/* survey.c: holds a program's imports against the ledger. */
#include "tools/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rawcalls.h"

static struct finding *find(struct survey *s, const char *name, bool raw)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->findings[i].raw == raw && strcmp(s->findings[i].name, name) == 0)
			return &s->findings[i];
	struct finding *grown = realloc(s->findings, (s->n + 1) * sizeof *grown);
	if (!grown)
		abort();
	s->findings = grown;
	grown += s->n++;
	*grown = (struct finding){.name = name, .raw = raw};
	return grown;
}

/* Puts `user` at the end of the list, once. */
static void add_user(struct finding *f, const char *user)
{
	char *list;
	size_t n = strlen(user);
	for (const char *at = f->users; at && (at = strstr(at, user)); at += n)
		if ((at == f->users || at[-1] == ' ') && (at[n] == ',' || at[n] == '\0'))
			return;
	if (asprintf(&list, "%s%s%s", f->users ? f->users : "", f->users ? ", " : "", user) < 0)
		abort();
	free(f->users);
	f->users = list;
}

static void add_import(struct survey *s, const struct object *o, const struct import *import)
{
	if (!closure_is_libcs(&s->closure, import))
		return;
	struct finding *f = find(s, import->name, false);
	if (!f->users) {
		const struct entry *e = ledger_find(import->name);
		f->standing = e ? e->standing : STANDS_HARMLESS;
		f->family = e ? e->family : NULL;
		f->why = e ? e->why : "It computes.";
		s->count[f->standing]++;
	}
	add_user(f, o->soname);
}

struct raw_context {
	struct survey *survey;
	const struct object *object;
};

static void add_raw(const struct rawcall *call, void *arg)
{
	struct raw_context *c = arg;
	const char *name = rawcall_name(call->number);
	struct finding *f = find(c->survey, name ? name : "an unknown one", true);
	f->standing = rawcall_judge(call->number, &f->why);
	c->survey->n_raw_open += f->standing == STANDS_OPEN;
	char *place;
	int r;
	if (call->function)
		r = asprintf(&place, "%s in %s", call->function, c->object->soname);
	else
		r = asprintf(&place, "%#jx in %s", (uintmax_t)call->address, c->object->soname);
	if (r < 0)
		abort();
	add_user(f, place);
	free(place);
}

/* The open ones first. */
static int by_weight(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	if (x->standing != y->standing)
		return (int)y->standing - (int)x->standing;
	if (x->raw != y->raw)
		return x->raw - y->raw;
	int why = x->why && y->why ? strcmp(x->why, y->why) : 0;
	return why ? why : strcmp(x->name, y->name);
}

void survey_make(struct survey *s, struct closure closure)
{
	*s = (struct survey){.closure = closure};
	for (size_t i = 0; i < closure.n; i++) {
		const struct object *o = &closure.objects[i];
		s->patched |= strcmp(o->soname, "libpatch.so") == 0;
		if (o->libc || o->ours)
			continue;
		if (!o->read) {
			s->unread = o->path;
			continue;
		}
		for (size_t k = 0; k < o->n_imports; k++)
			add_import(s, o, &o->imports[k]);
		struct raw_context context = {s, o};
		s->looked_for_raw |= rawcalls_find(o, add_raw, &context);
	}
	s->makes_threads =
		closure_imports(&s->closure, "pthread_create") || closure_imports(&s->closure, "thrd_create");
	if (s->n)
		qsort(s->findings, s->n, sizeof *s->findings, by_weight);
}

void survey_free(struct survey *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->findings[i].users);
	free(s->findings);
	closure_free(&s->closure);
}
