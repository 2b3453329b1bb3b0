/* picture.c: asks `ps json` and `stats json` (docs/control.md), and holds the answers against those before. */
#include "tools/top/picture.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/control.h"
#include "tools/top/words.h"

/* The whole answer, for the caller to free; NULL and `why`. */
static char *ask(pid_t pid, const char *question, char *why, size_t size)
{
	int fd = control_ask(pid, question, why, size);
	if (fd < 0)
		return NULL;
	FILE *answer = fdopen(fd, "r");
	char *text = NULL;
	size_t room = 0;
	if (!answer || getdelim(&text, &room, '\0', answer) <= 0) {
		snprintf(why, size, "process %d did not answer", (int)pid);
		free(text);
		text = NULL;
	}
	if (answer)
		fclose(answer);
	else
		close(fd);
	return text;
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static int add_row(struct picture *p, size_t *room, const json_t *g)
{
	if (p->n == *room) {
		*room = *room ? *room * 2 : 64;
		struct row *grown = realloc(p->rows, *room * sizeof *grown);
		if (!grown)
			return -1;
		p->rows = grown;
	}
	p->rows[p->n++] = (struct row){
		.id = (long)number_of(g, "id"),
		.name = strdup(string_of(g, "name")),
		.state = strdup(string_of(g, "state")),
		.waits = strdup(string_of(json_object_get(g, "waits"), "text")),
		.waited_ns = number_of(g, "waited_ns"),
		.ran_ns = number_of(g, "ran_ns"),
		.cpu_ns = number_of(g, "cpu_ns"),
		.switches = number_of(g, "switches"),
		.stack = number_of(g, "stack_used"),
	};
	return 0;
}

/* A head, and one object a line. */
static int read_greenlets(struct picture *p, char *text, char *why, size_t size)
{
	size_t room = 0;
	bool head = true;
	char *rest;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), head = false) {
		json_t *object = json_loads(line, 0, NULL);
		const char *error = string_of(object, "error");
		if (!object || *error) {
			snprintf(why, size, "what it answered is not understood: %s", *error ? error : line);
			json_decref(object);
			return -1;
		}
		if (head) {
			p->at_ns = number_of(object, "at_ns");
			p->partial = json_is_true(json_object_get(object, "partial"));
			p->hubs = json_array_size(json_object_get(object, "hubs"));
		} else if (add_row(p, &room, object) != 0) {
			snprintf(why, size, "no memory");
			json_decref(object);
			return -1;
		}
		json_decref(object);
	}
	return 0;
}

static void read_counts(struct picture *p, const char *text)
{
	json_t *object = json_loads(text, 0, NULL);
	p->switches = number_of(object, "switches");
	p->made = number_of(object, "made");
	p->longest_run_ns = number_of(object, "longest_run_ns");
	p->longest_run = strdup(string_of(json_object_get(object, "longest_run"), "name"));
	p->stalls = number_of(object, "stalls");
	json_decref(object);
}

static int by_id(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Both are in the order of their ids. */
static void hold_against(struct picture *p, const struct picture *before)
{
	double seconds = (double)(p->at_ns - before->at_ns) / 1e9;
	if (seconds <= 0)
		return;
	p->switched = (double)(p->switches - before->switches) / seconds;
	for (size_t i = 0, k = 0; i < p->n; i++) {
		struct row *r = &p->rows[i];
		while (k < before->n && before->rows[k].id < r->id)
			k++;
		bool was = k < before->n && before->rows[k].id == r->id;
		const struct row none = {0}, *b = was ? &before->rows[k] : &none;
		r->busy = (double)(r->ran_ns - b->ran_ns) / 1e9 / seconds;
		r->cpu = (double)(r->cpu_ns - b->cpu_ns) / 1e9 / seconds;
		r->switched = (double)(r->switches - b->switches) / seconds;
	}
}

int picture_take(struct picture *p, pid_t pid, const struct picture *before, char *why, size_t size)
{
	*p = (struct picture){0};
	char *greenlets = ask(pid, "ps json\n", why, size);
	char *counts = greenlets ? ask(pid, "stats json\n", why, size) : NULL;
	int r = counts ? read_greenlets(p, greenlets, why, size) : -1;
	if (r == 0) {
		read_counts(p, counts);
		if (p->n)
			qsort(p->rows, p->n, sizeof *p->rows, by_id);
		if (before)
			hold_against(p, before);
	} else {
		picture_free(p);
	}
	free(greenlets);
	free(counts);
	return r;
}

void picture_free(struct picture *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->rows[i].name);
		free(p->rows[i].state);
		free(p->rows[i].waits);
	}
	free(p->rows);
	free(p->longest_run);
	*p = (struct picture){0};
}

static int down(double x, double y)
{
	return x > y ? -1 : x < y;
}

static int by_busy(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = down(x->busy, y->busy);
	return c ? c : by_id(a, b);
}

static int by_switches(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = down(x->switched, y->switched);
	return c ? c : by_id(a, b);
}

static int by_waited(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = down((double)x->waited_ns, (double)y->waited_ns);
	return c ? c : by_id(a, b);
}

static int by_stack(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = down((double)x->stack, (double)y->stack);
	return c ? c : by_id(a, b);
}

static int by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = strcmp(x->name, y->name);
	return c ? c : by_id(a, b);
}

void picture_sort(struct picture *p, enum order order)
{
	static int (*const compare[ORDERS])(const void *, const void *) = {by_id,     by_busy,  by_switches,
									   by_waited, by_stack, by_name};
	if (p->n)
		qsort(p->rows, p->n, sizeof *p->rows, compare[order]);
}
