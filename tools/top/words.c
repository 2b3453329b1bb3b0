/* words.c: the lines of gev top, for the screen and for --batch. */
#include "tools/top/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *duration(int64_t ns, char *text, size_t size)
{
	double s = (double)ns / 1e9;
	if (ns <= 0)
		snprintf(text, size, "-");
	else if (ns < 1000000)
		snprintf(text, size, "%dus", (int)(ns / 1000));
	else if (s < 1)
		snprintf(text, size, "%.1fms", s * 1e3);
	else if (s < 100)
		snprintf(text, size, "%.1fs", s);
	else if (s < 6000)
		snprintf(text, size, "%dm%02ds", (int)s / 60, (int)s % 60);
	else
		snprintf(text, size, "%dh%02dm", (int)(s / 3600), (int)(s / 60) % 60);
	return text;
}

static const char *bytes(int64_t n, char *text, size_t size)
{
	if (n <= 0)
		snprintf(text, size, "-");
	else if (n < 1000 << 10)
		snprintf(text, size, "%.1fk", (double)n / 1024);
	else
		snprintf(text, size, "%.1fM", (double)n / (1 << 20));
	return text;
}

void words_of_process(const struct picture *p, pid_t pid, const char *program, char *line, size_t size)
{
	size_t waiting = 0;
	for (size_t i = 0; i < p->n; i++)
		waiting += strcmp(p->rows[i].state, "waits") == 0;
	snprintf(line, size, "gev top: %s, process %d: %zu greenlet%s, %zu of them wait; %zu hub%s%s", program,
		 (int)pid, p->n, p->n == 1 ? "" : "s", waiting, p->hubs, p->hubs == 1 ? "" : "s",
		 p->partial ? "; some move too fast to be read" : "");
}

void words_of_counts(const struct picture *p, char *line, size_t size)
{
	char longest[32];
	int n = snprintf(line, size, "%.0f switches a second; %lld greenlets made; longest run %s", p->switched,
			 (long long)p->made, duration(p->longest_run_ns, longest, sizeof longest));
	if (p->longest_run && *p->longest_run && n > 0 && (size_t)n < size)
		n += snprintf(line + n, size - (size_t)n, " (%s)", p->longest_run);
	if (n > 0 && (size_t)n < size)
		snprintf(line + n, size - (size_t)n, "; %lld stalls", (long long)p->stalls);
}

const char *words_of_heading(void)
{
	return "    ID NAME             STATE   BUSY   CPU  SWITCH/s   WAITED    STACK  WAITS FOR";
}

void words_of_row(const struct row *r, char *line, size_t size)
{
	char waited[32], stack[32];
	snprintf(line, size, "%6ld %-16.16s %-6s %4.0f%% %4.0f%% %9.0f %8s %8s  %s", r->id, r->name, r->state,
		 r->busy * 100, r->cpu * 100, r->switched, duration(r->waited_ns, waited, sizeof waited),
		 bytes(r->stack, stack, sizeof stack), r->waits);
}
