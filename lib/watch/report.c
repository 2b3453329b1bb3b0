/* The answers. */
#include "lib/watch/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/watch/libdw.h"
#include "lib/watch/running.h"
#include "lib/watch/symbol.h"
#include "lib/watch/waits.h"

enum { FRAMES = 64 };

/* ---- Who ---- */

static size_t stack_used(const struct gev__seen *s)
{
	return s->hi && s->sp >= (uintptr_t)s->lo && s->sp < (uintptr_t)s->hi ? (uintptr_t)s->hi - s->sp : 0;
}

static int64_t in_state(const struct gev__picture *p, const struct gev__seen *s)
{
	return s->since && s->state == GEV__PARKED && p->at > s->since ? p->at - s->since : 0;
}

void gev__report_ps(struct gev__text *t, const struct gev__picture *p)
{
	gev__text_add(t, "%5s %-6s %8s %9s %8s %8s %6s %6s  %-16s  %s\n", "ID", "STATE", "FOR", "SWITCHES", "RAN",
		      "CPU", "STACK", "BY", "NAME", "WAITS FOR");
	for (size_t i = 0; i < p->n; i++) {
		const struct gev__seen *s = &p->seen[i];
		struct gev__text since = {0}, ran = {0}, cpu = {0}, stack = {0};
		char name[64];
		gev__display_name(s, name, sizeof name);
		if (in_state(p, s))
			gev__text_time(&since, in_state(p, s));
		gev__text_time(&ran, s->ran);
		gev__text_time(&cpu, s->cpu);
		if (stack_used(s))
			gev__text_size(&stack, stack_used(s));
		gev__text_add(t, "%5u %-6s %8s %9llu %8s %8s %6s %6u  %-16s  ", s->id, gev__state_word(s),
			      since.n ? since.at : "-", (unsigned long long)s->switches, ran.n ? ran.at : "-",
			      cpu.n ? cpu.at : "-", stack.n ? stack.at : "-", s->creator, name);
		if (s->waits_for == GEV__FOR_NOTHING)
			gev__text_add(t, "-");
		gev__waits_text(t, p, s);
		gev__text_add(t, "\n");
		gev__text_done(&since);
		gev__text_done(&ran);
		gev__text_done(&cpu);
		gev__text_done(&stack);
	}
}

static void seen_json(struct gev__text *t, const struct gev__picture *p, const struct gev__seen *s)
{
	char name[128];
	gev__display_name(s, name, sizeof name);
	gev__text_add(t, "\"id\":%u,\"name\":", s->id);
	gev__text_json(t, name);
	gev__text_add(t, ",\"entry\":");
	gev__text_json(t, s->entry && gev__symbol_name((uintptr_t)s->entry, name, sizeof name) ? name : NULL);
	gev__text_add(t, ",\"state\":\"%s\",\"creator\":%u,\"os_thread\":%d", gev__state_word(s), s->creator, s->tid);
	gev__text_add(t, ",\"waited_ns\":%lld,\"ran_ns\":%lld,\"cpu_ns\":%lld", (long long)in_state(p, s),
		      (long long)s->ran, (long long)s->cpu);
	gev__text_add(t, ",\"switches\":%llu,\"stack_used\":%zu,\"stack_size\":%zu,\"waits\":",
		      (unsigned long long)s->switches, stack_used(s), s->hi ? (size_t)(s->hi - s->lo) : 0);
	gev__waits_json(t, p, s);
}

void gev__report_ps_json(struct gev__text *t, const struct gev__picture *p)
{
	for (size_t i = 0; i < p->n; i++) {
		gev__text_add(t, "{");
		seen_json(t, p, &p->seen[i]);
		gev__text_add(t, "}\n");
	}
}

/* ---- Where ---- */

struct stack {
	uintptr_t pcs[FRAMES];
	size_t n;
	size_t first; /* what lies above is the library's own waiting */
	bool moved;   /* it ran on while it was being read */
	struct gev__doing running;
};

static void read_stack(struct stack *k, const struct gev__seen *s)
{
	k->n = k->first = 0;
	k->moved = false;
	k->running = (struct gev__doing){.syscall = -1};
	if (s->state == GEV__RUNNING) {
		gev__doing(s->tid, &k->running);
		if (k->running.known)
			k->n = gev__stack_end(k->pcs, gev__unwind(&k->running.stand, k->pcs, FRAMES), s->is_main);
		return;
	}
	struct gev__stand stand = {.pc = s->pc, .sp = s->sp, .fp = s->fp, .hi = (uintptr_t)s->hi};
	k->n = gev__unwind(&stand, k->pcs, FRAMES);
	k->moved = !gev__seen_still(s);
	/* Of our own frames only the innermost is of use: it is the call that the program made. */
	size_t ours = 0;
	while (ours < k->n && gev__symbol_is_ours(k->pcs[ours]))
		ours++;
	if (ours == k->n && s->state != GEV__PARKED)
		k->n = 0; /* not begun: there is only where it will */
	if (ours > 0 && ours < k->n)
		k->first = ours - 1;
	k->n = k->first + gev__stack_end(k->pcs + k->first, k->n - k->first, s->is_main);
}

void gev__report_one(struct gev__text *t, const struct gev__picture *p, const struct gev__seen *s)
{
	char name[128];
	struct stack k;
	gev__display_name(s, name, sizeof name);
	gev__text_add(t, "greenlet %u (%s) %s", s->id, name, gev__state_word(s));
	if (s->state == GEV__PARKED) {
		gev__text_add(t, " for ");
		gev__waits_text(t, p, s);
	}
	if (in_state(p, s)) {
		gev__text_add(t, ", since ");
		gev__text_time(t, in_state(p, s));
	}
	if (s->creator)
		gev__text_add(t, ", made by %u", s->creator);
	gev__text_add(t, "\n");
	read_stack(&k, s);
	if (k.running.syscall >= 0) {
		const char *call = gev__syscall_name(k.running.syscall);
		gev__text_add(t, "  in the system call %s\n", call ? call : "?");
	}
	for (size_t i = k.first; i < k.n; i++) {
		gev__text_add(t, "  #%zu ", i - k.first);
		gev__symbol_frame(t, k.pcs[i], i > 0);
		gev__text_add(t, "\n");
	}
	if (k.moved)
		gev__text_add(t, "  (it ran on meanwhile)\n");
	if (k.n == 0) {
		bool begun = s->state == GEV__RUNNING;
		gev__text_add(t, begun ? "  (its stack could not be read)\n" : "  (it has not begun)\n");
	}
}

static void one_json(struct gev__text *t, const struct gev__picture *p, const struct gev__seen *s)
{
	struct stack k;
	read_stack(&k, s);
	gev__text_add(t, "{");
	seen_json(t, p, s);
	gev__text_add(t, ",\"syscall\":");
	gev__text_json(t, k.running.syscall >= 0 ? gev__syscall_name(k.running.syscall) : NULL);
	gev__text_add(t, ",\"moved\":%s,\"frames\":[", k.moved ? "true" : "false");
	for (size_t i = k.first; i < k.n; i++) {
		struct gev__text frame = {0};
		gev__symbol_frame(&frame, k.pcs[i], i > 0);
		gev__text_add(t, "%s{\"pc\":\"0x%zx\",\"at\":", i > k.first ? "," : "", (size_t)k.pcs[i]);
		gev__text_json(t, frame.at);
		gev__text_add(t, "}");
		gev__text_done(&frame);
	}
	gev__text_add(t, "]}\n");
}

static bool each(struct gev__text *t, const struct gev__picture *p, uint32_t id,
		 void (*one)(struct gev__text *t, const struct gev__picture *p, const struct gev__seen *s))
{
	bool any = false;
	for (size_t i = 0; i < p->n; i++) {
		if (id != 0 && p->seen[i].id != id)
			continue;
		one(t, p, &p->seen[i]);
		any = true;
	}
	return any || id == 0;
}

bool gev__report_bt(struct gev__text *t, const struct gev__picture *p, uint32_t id)
{
	bool found = each(t, p, id, gev__report_one);
	if (found && !gev__dw.usable)
		gev__text_add(t, "(stacks end early, and names are few: libdw of elfutils cannot be used here)\n");
	return found;
}

bool gev__report_bt_json(struct gev__text *t, const struct gev__picture *p, uint32_t id)
{
	return each(t, p, id, one_json);
}
