/* check.c: `gev check`: what libpatch.so will make of a program, as a verdict, a table, or JSON. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/elf/fit.h"
#include "tools/elf/search.h"
#include "tools/survey.h"

enum { ALL_COOPERATIVE = 0, NOT_COVERED = 1, NOT_PATCHABLE = 2 };

static size_t imported(const struct survey *s)
{
	return s->count[STANDS_COOPERATIVE] + s->count[STANDS_HARMLESS] + s->count[STANDS_OPEN];
}

static int status_of(const struct survey *s)
{
	return s->count[STANDS_OPEN] || s->n_raw_open || s->unread ? NOT_COVERED : ALL_COOPERATIVE;
}

/* ---- Text ---- */

static void print_verdict(const char *name, const struct survey *s)
{
	printf("%s: ", name);
	if (s->count[STANDS_OPEN] == 0 && s->n_raw_open == 0)
		printf("cooperative: none of the %zu functions that it imports from libc keeps other threads waiting",
		       imported(s));
	else
		printf("not covered: %zu of the %zu functions that it imports from libc", s->count[STANDS_OPEN],
		       imported(s));
	if (s->n_raw_open)
		printf(", and %zu system call%s past libc", s->n_raw_open, s->n_raw_open == 1 ? "" : "s");
	if (!s->makes_threads)
		fputs("; it never makes a thread, so nothing changes", stdout);
	putchar('\n');
}

/* The findings of one standing, under a heading for each sentence. */
static void print_table(const struct survey *s, enum standing standing, bool raw)
{
	const char *why = NULL;
	bool first = true;
	for (size_t i = 0; i < s->n; i++) {
		const struct finding *f = &s->findings[i];
		if (f->standing != standing || f->raw != raw)
			continue;
		if (first)
			printf("\n%s%s:\n", raw ? "system calls past libc, " : "", standing_name(standing));
		if (f->why && (!why || strcmp(why, f->why) != 0))
			printf("  %s\n", f->why);
		first = false;
		why = f->why;
		printf("    %-24s %-11s %s\n", f->name, f->family ? f->family : "", f->users);
	}
}

static void print_text(const char *name, const struct survey *s, bool all)
{
	print_verdict(name, s);
	print_table(s, STANDS_OPEN, false);
	print_table(s, STANDS_OPEN, true);
	if (all) {
		print_table(s, STANDS_HARMLESS, true);
		print_table(s, STANDS_COOPERATIVE, false);
		print_table(s, STANDS_HARMLESS, false);
	}
	printf("\n%zu cooperative, %zu harmless, %zu not covered, in %zu files", s->count[STANDS_COOPERATIVE],
	       s->count[STANDS_HARMLESS], s->count[STANDS_OPEN], s->closure.n);
	puts(s->looked_for_raw ? "" : "; this gev cannot look for system calls past libc");
	if (s->unread)
		printf("not read, so not judged: %s\n", s->unread);
}

/* ---- JSON ---- */

static json_t *finding_json(const struct finding *f)
{
	json_t *users = json_array();
	for (const char *at = f->users; *at;) {
		size_t n = strcspn(at, ",");
		json_array_append_new(users, json_stringn(at, n));
		at += n;
		at += strspn(at, ", ");
	}
	return json_pack("{s:s, s:s, s:s?, s:s?, s:o}", "name", f->name, "standing", standing_name(f->standing),
			 "family", f->family, "why", f->why, "users", users);
}

static void print_json(const char *name, const struct survey *s)
{
	json_t *functions = json_array(), *calls = json_array(), *files = json_array();
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(s->findings[i].raw ? calls : functions, finding_json(&s->findings[i]));
	for (size_t i = 0; i < s->closure.n; i++)
		json_array_append_new(files, json_string(s->closure.objects[i].path));
	json_t *all = json_pack("{s:s, s:s, s:b, s:b, s:b, s:o, s:o, s:o}", "program", name, "verdict",
				status_of(s) == ALL_COOPERATIVE ? "cooperative" : "not covered", "makes_threads",
				s->makes_threads, "patched", s->patched, "looked_for_system_calls", s->looked_for_raw,
				"functions", functions, "system_calls", calls, "files", files);
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static int not_patchable(const char *name, const char *why, bool json)
{
	if (json) {
		json_t *all = json_pack("{s:s, s:s, s:s}", "program", name, "verdict", "cannot be patched", "why", why);
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(all);
	} else {
		printf("%s: cannot be patched: %s\n", name, why);
	}
	return NOT_PATCHABLE;
}

/* ---- The command ---- */

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10;
}

static int check(const char *name, bool json, bool all)
{
	char why[2048];
	struct closure c = {0};
	/* A program whose name is a number can be had by a slash. */
	if (is_number(name)) {
		if (closure_of_process(atoi(name), &c, why, sizeof why) != 0)
			return misused("check", "%s", why);
	} else {
		char *path = search(name), *binary;
		if (!path)
			return misused("check", "'%s': %s", name, strerror(errno));
		bool fits = fit(path, &binary, why, sizeof why);
		free(path);
		if (!fits)
			return not_patchable(name, why, json);
		if (!binary)
			return misused("check", "'%s' cannot be read", name);
		int r = closure_of_program(binary, &c, why, sizeof why);
		free(binary);
		if (r != 0) {
			closure_free(&c);
			return misused("check", "%s", why);
		}
	}
	struct survey s;
	survey_make(&s, c);
	if (json)
		print_json(name, &s);
	else
		print_text(name, &s, all);
	int status = status_of(&s);
	survey_free(&s);
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{"all", no_argument, NULL, 'a'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool json = false, all = false;
	for (int c; (c = getopt_long(argc, argv, "+h", options, NULL)) != -1;) {
		switch (c) {
		case 'a':
			all = true;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			return print_help("check");
		default:
			return EXIT_GEV;
		}
	}
	if (argc - optind != 1)
		return misused("check", "one program, or the number of a process");
	return check(argv[optind], json, all);
}

const struct command command_check = {"check", "what of a program or a process is cooperative, and what is not", run};
