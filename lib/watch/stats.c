/* Statistics. */
#include "lib/watch/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/options.h"
#include "lib/base/sys.h"
#include "lib/watch/record.h"
#include "lib/watch/symbol.h"

static bool wanted, wanted_json;
static const char *file; /* NULL: standard error */
static uint64_t stalls;
static int64_t longest_stall;
static const struct gev_watch_count *passed;
static size_t passed_n;

bool gev__stats_prepare(const char *option)
{
	const char *comma = strchrnul(option, ',');
	size_t n = (size_t)(comma - option);
	if (n == 1 && *option == '0')
		return false;
	wanted_json = n == 4 && memcmp(option, "json", n) == 0;
	wanted = wanted_json || (n == 1 && *option == '1') || (n == 4 && memcmp(option, "text", n) == 0);
	if (!wanted)
		gev__option_wrong("GEV_STATS", option, "0|1|text|json, or the last two and a file: json,FILE", "0");
	else if (comma[0] && comma[1])
		file = comma + 1;
	return wanted;
}

void gev__stats_stall_begins(void)
{
	__atomic_fetch_add(&stalls, 1, __ATOMIC_RELAXED);
}

void gev__stats_stall_lasts(int64_t ns)
{
	if (ns > longest_stall)
		longest_stall = ns;
}

void gev__stats_passed(const struct gev_watch_count *counts, size_t n)
{
	passed = counts;
	__atomic_store_n(&passed_n, n, __ATOMIC_RELEASE);
}

static uint64_t calls_of(size_t i)
{
	return __atomic_load_n(passed[i].calls, __ATOMIC_RELAXED);
}

/* ---- Text ---- */

static void entry_name(const void *entry, char *out, size_t room)
{
	if (entry == NULL)
		snprintf(out, room, "main");
	else if (!gev__symbol_name((uintptr_t)entry, out, room))
		snprintf(out, room, "0x%zx", (size_t)(uintptr_t)entry);
}

static void time_line(struct gev__text *t, const char *what, int64_t ns)
{
	gev__text_add(t, "  %-22s ", what);
	gev__text_time(t, ns);
}

static void as_text(struct gev__text *t, const struct gev__totals *s, const struct gev__by_entry *by, uint32_t n)
{
	char name[128];
	gev__text_add(t, "libgev statistics of process %d\n", getpid());
	gev__text_add(t, "  %-22s %llu, at most %llu at once, %llu now\n", "greenlets", (unsigned long long)s->made,
		      (unsigned long long)s->peak, (unsigned long long)s->live);
	if (gev__records_timed())
		gev__text_add(t, "  %-22s %llu\n", "switches", (unsigned long long)s->switches);
	gev__text_add(t, "  %-22s %llu\n", "looks outside", (unsigned long long)s->turns);
	if (gev__records_timed()) {
		time_line(t, "longest turn", s->longest_turn);
		gev__text_add(t, "\n");
		time_line(t, "longest run", s->longest_run);
		entry_name(s->longest_entry, name, sizeof name);
		gev__text_add(t, ", greenlet %u (%s)\n", s->longest_id, *s->longest_name ? s->longest_name : name);
	}
	uint64_t n_stalls = __atomic_load_n(&stalls, __ATOMIC_RELAXED);
	if (n_stalls) {
		gev__text_add(t, "  %-22s %llu, the longest ", "stalls", (unsigned long long)n_stalls);
		gev__text_time(t, longest_stall);
		gev__text_add(t, "\n");
	}
	for (uint32_t i = 0; i < n; i++) {
		entry_name(by[i].entry, name, sizeof name);
		gev__text_add(t, "  %-22s %s, made %llu times", i ? "" : "by function", name,
			      (unsigned long long)by[i].made);
		if (by[i].deepest) {
			gev__text_add(t, ", stack at a switch at most ");
			gev__text_size(t, by[i].deepest);
		}
		gev__text_add(t, "\n");
	}
	bool first = true;
	for (size_t i = 0; i < __atomic_load_n(&passed_n, __ATOMIC_ACQUIRE); i++) {
		if (calls_of(i) == 0)
			continue;
		gev__text_add(t, "  %-22s %s, %llu times while others were ready\n", first ? "passed through" : "",
			      passed[i].name, (unsigned long long)calls_of(i));
		first = false;
	}
}

static void as_json(struct gev__text *t, const struct gev__totals *s, const struct gev__by_entry *by, uint32_t n)
{
	char name[128];
	gev__text_add(t, "{\"pid\":%d,\"made\":%llu,\"peak\":%llu,\"live\":%llu,\"looks\":%llu", getpid(),
		      (unsigned long long)s->made, (unsigned long long)s->peak, (unsigned long long)s->live,
		      (unsigned long long)s->turns);
	if (gev__records_timed()) {
		gev__text_add(t, ",\"switches\":%llu,\"longest_turn_ns\":%lld,\"longest_run_ns\":%lld",
			      (unsigned long long)s->switches, (long long)s->longest_turn, (long long)s->longest_run);
		entry_name(s->longest_entry, name, sizeof name);
		gev__text_add(t, ",\"longest_run\":{\"id\":%u,\"name\":", s->longest_id);
		gev__text_json(t, *s->longest_name ? s->longest_name : name);
		gev__text_add(t, "}");
	}
	gev__text_add(t, ",\"stalls\":%llu,\"longest_stall_ns\":%lld,\"by_entry\":[",
		      (unsigned long long)__atomic_load_n(&stalls, __ATOMIC_RELAXED), (long long)longest_stall);
	for (uint32_t i = 0; i < n; i++) {
		entry_name(by[i].entry, name, sizeof name);
		gev__text_add(t, "%s{\"entry\":", i ? "," : "");
		gev__text_json(t, name);
		gev__text_add(t, ",\"made\":%llu,\"deepest_stack\":%u}", (unsigned long long)by[i].made, by[i].deepest);
	}
	gev__text_add(t, "],\"passed_through\":[");
	bool first = true;
	for (size_t i = 0; i < __atomic_load_n(&passed_n, __ATOMIC_ACQUIRE); i++) {
		if (calls_of(i) == 0)
			continue;
		gev__text_add(t, "%s{\"symbol\":", first ? "" : ",");
		gev__text_json(t, passed[i].name);
		gev__text_add(t, ",\"calls\":%llu}", (unsigned long long)calls_of(i));
		first = false;
	}
	gev__text_add(t, "]}\n");
}

void gev__stats_text(struct gev__text *t, bool json)
{
	static struct gev__by_entry by[GEV__ENTRIES];
	struct gev__totals totals;
	gev__totals(&totals);
	uint32_t n = gev__by_entry(by);
	gev__symbols_begin();
	if (json)
		as_json(t, &totals, by, n);
	else
		as_text(t, &totals, by, n);
	gev__symbols_end();
}

void gev__stats_at_exit(void)
{
	struct gev__totals totals;
	gev__totals(&totals);
	if (!wanted || totals.made == 0)
		return;
	struct gev__text t = {0};
	gev__stats_text(&t, wanted_json);
	int fd = STDERR_FILENO;
	if (file)
		fd = (int)gev__sys.syscall(SYS_openat, AT_FDCWD, (long)file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
					   0666, 0, 0);
	/* One write: processes that end at the same time do not mix their lines. */
	if (fd < 0 || (t.n > 0 && gev__sys.write(fd, t.at, t.n) < 0))
		gev__option_wrong("GEV_STATS", file ? file : "1", "a file that can be written", "");
	if (fd >= 0 && file)
		gev__sys.close(fd);
	gev__text_done(&t);
}
