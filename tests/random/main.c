/* The random scheduler test: rounds of random steps, and what must be true after each.
 *
 * Usage: random [--seed N] [--steps N] [--only STEP,STEP] [--trace] [--real] [--fault NAME]
 * The seed, if none is given, is the time. Equal seeds do equal things, to the nanosecond (not with --real).
 *
 * After a round nobody may be left: one greenlet, the descriptors of before, no growth of memory or mappings. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/random/random.h"

struct world world;

const struct op ops[] = {
	{"yield", 20, step_yield},
	{"sleep", 12, step_sleep},
	{"compute", 2, step_compute},
	{"park", 10, step_park},
	{"wake", 14, step_wake},
	{"order", 2, step_order},
	{"spawn", 14, step_spawn},
	{"join", 8, step_join},
	{"release", 3, step_release},
	{"start", 8, step_start},
	{"kill", 2, step_kill},
	{"killall", 1, step_killall},
	{"joinall", 4, step_joinall},
	{"shield", 3, step_shield},
	{"lot-wait", 20, step_lot_wait},
	{"lot-wake", 12, step_lot_wake},
	{"lot-one", 6, step_lot_wake_one},
	{"requeue", 3, step_lot_requeue},
	{"fd-read", 10, step_fd_read},
	{"fd-write", 14, step_fd_write},
	{"fd-close", 2, step_fd_close},
	{"fds-wait", 4, step_fds_wait},
	{"recv", 8, step_recv},
	{"send", 6, step_send},
	{"fork", 1, step_fork},
	{"timeout", 6, step_timeout},
	{"time-end", 8, step_timeout_end},
	{"be-late", 4, step_be_late},
	{"defer", 4, step_defer},
	{"link", 6, step_link},
	{"unlink", 2, step_unlink},
	{"local", 6, step_local},
	{"local-anew", 1, step_local_anew},
	{NULL, 0, NULL},
};

static const char *const fault_names[FAULTS] = {
	[FAULT_NONE] = "none",
	[FAULT_LOSE_WAKE] = "lose-wake",
	[FAULT_WAKE_TWO] = "wake-two",
	[FAULT_EARLY] = "early",
	[FAULT_VALUE] = "value",
	[FAULT_LEAK_FD] = "leak-fd",
	[FAULT_LEAK_MEMORY] = "leak-memory",
	[FAULT_ORDER] = "order",
	[FAULT_FORGET_KILL] = "forget-kill",
	[FAULT_STALE_FD] = "stale-fd",
	[FAULT_ERRNO] = "errno",
	[FAULT_TIMEOUT] = "timeout",
	[FAULT_DEFER] = "defer",
	[FAULT_LINK] = "link",
	[FAULT_LOCAL] = "local",
};

/* ---- Saying what happened ---- */

enum { EVENTS = 24 };

static struct event {
	const char *what;
	uint64_t a;
	int64_t b;
	int64_t at;
} events[EVENTS];
static uint64_t noted;

static void print_event(const struct event *e)
{
	fprintf(stderr, "  %12.3f us  %-10s %" PRIu64 " %" PRId64 "\n", (double)e->at / 1e3, e->what, e->a, e->b);
}

static void fold(uint64_t value)
{
	world.digest = (world.digest ^ value) * UINT64_C(0x100000001b3);
}

void note(const char *what, uint64_t a, int64_t b)
{
	struct event *e = &events[noted++ % EVENTS];
	*e = (struct event){what, a, b, now_ns()};
	for (const char *c = what; *c; c++)
		fold((unsigned char)*c);
	fold(a);
	fold((uint64_t)b);
	if (world.virtual_time)
		fold((uint64_t)e->at);
	if (world.trace)
		print_event(e);
}

static void print_command(FILE *to)
{
	fprintf(to, "random --seed %" PRIu64 " --steps %" PRIu64, world.seed, world.end);
	if (world.only)
		fprintf(to, " --only %s", world.only);
	if (!world.virtual_time)
		fprintf(to, " --real");
	if (world.fault)
		fprintf(to, " --fault %s", fault_names[world.fault]);
}

/* NOLINTBEGIN(bugprone-signal-handler): the alarm calls it too, and then it is the last thing that happens. */
void fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "FAILED at step %" PRIu64 ": ", world.steps);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nthe last events:\n");
	for (uint64_t i = noted > EVENTS ? noted - EVENTS : 0; i < noted; i++)
		print_event(&events[i % EVENTS]);
	fprintf(stderr, "who does what:\n");
	for (unsigned i = 0; i < ACTORS; i++) {
		const struct actor *a = &actors[i];
		if (a->used)
			fprintf(stderr, "  %" PRIu64 "%s%s%s%s%s, %u borrowed: %s since %.3f us\n", a->serial,
				a->own ? " own" : "", a->killed ? " killed" : "", a->begun ? "" : " not begun",
				a->ended ? " ended" : "", a->held ? " held" : "", a->borrowed, a->doing,
				(double)a->since / 1e3);
	}
	fprintf(stderr, "again: ");
	print_command(stderr);
	fprintf(stderr, "\n");
	_exit(1);
}
/* NOLINTEND(bugprone-signal-handler) */

static void too_long(int signal)
{
	fail("it takes too long");
}

/* ---- What a round must leave as it was ---- */

struct leftovers {
	int descriptors;
	int mappings;
	size_t memory;
};

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	check(dir, "/proc/self/fd: errno %d", errno);
	int n = 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static int count_lines(const char *path)
{
	FILE *file = fopen(path, "r");
	check(file, "%s: errno %d", path, errno);
	int n = 0;
	for (int c; (c = getc(file)) != EOF;)
		n += c == '\n';
	fclose(file);
	return n;
}

static struct leftovers count_leftovers(void)
{
	struct mallinfo2 heap = mallinfo2(); /* all zero under the sanitizers, which look for themselves */
	return (struct leftovers){
		.descriptors = count_descriptors(),
		.mappings = count_lines("/proc/self/maps"),
		.memory = heap.uordblks + heap.hblkhd,
	};
}

/* Pools keep what the busiest moment needed; rounds are alike, so that stands after two of them, but for a few more. */
static void check_leftovers(unsigned round, struct leftovers *first)
{
	enum { WARM_ROUNDS = 2, MORE_MAPPINGS = 64, MORE_MEMORY = 1 << 20 };
	struct leftovers now = count_leftovers();
	check(world.rt->thread_count() == 1, "%zu greenlets are left", world.rt->thread_count());
	check(round == 0 || now.descriptors == first->descriptors, "%d descriptors, %d before", now.descriptors,
	      first->descriptors);
	if (round <= WARM_ROUNDS) {
		*first = now;
		return;
	}
	check(now.mappings <= first->mappings + MORE_MAPPINGS, "%d mappings, %d before", now.mappings, first->mappings);
	check(now.memory <= first->memory + MORE_MEMORY, "%zu bytes in use, %zu before", now.memory, first->memory);
}

/* ---- Rounds ---- */

/* Nothing moves: everybody waits for somebody. As long as it is not the runtime's fault, that is allowed. */
static void help(void)
{
	park_finish();
	lot_finish();
	fd_help();
	actors_reap();
}

static void round_of(uint64_t steps, struct rng *r)
{
	enum { HELPS = 20000 };
	unsigned helped = 0;
	world.stopping = false;
	world.round_end = world.steps + steps;
	fd_begin();
	end_begin(r);
	actors_mood(r);
	unsigned goal = 1 + below(r, one_in(r, 3) ? 12 : ACTORS);
	while (world.steps < world.round_end) {
		uint64_t before = world.steps;
		for (unsigned n = below(r, 8); n && population < goal; n--)
			actors_spawn(r);
		gev_sleep((double)below(r, 400) * 1e-6);
		actors_verify();
		fd_verify();
		helped = world.steps == before ? helped + 1 : 0;
		check(helped < HELPS, "nobody gets on, however often everybody is helped");
		if (helped)
			help();
	}
	world.stopping = true;
	actors_finish();
	check(population == 0, "%u actors are left", population);
	fd_finish();
	gev_sleep(0.001); /* who was killed before he began has his end in his own turn */
	end_finish();
}

static void usage(void)
{
	fprintf(stderr, "usage: random [--seed N] [--steps N] [--only STEP,STEP] [--trace] [--real] [--fault NAME]\n");
	exit(2);
}

static enum fault fault_of(const char *name)
{
	for (int i = 0; i < FAULTS; i++)
		if (strcmp(name, fault_names[i]) == 0)
			return (enum fault)i;
	usage();
	return FAULT_NONE;
}

static void parse(int argc, char **argv)
{
	static const struct option table[] = {
		{"seed", required_argument, NULL, 's'},
		{"steps", required_argument, NULL, 'n'},
		{"only", required_argument, NULL, 'o'},
		{"trace", no_argument, NULL, 't'},
		{"real", no_argument, NULL, 'r'},
		{"fault", required_argument, NULL, 'f'},
		{NULL, 0, NULL, 0},
	};
	world.seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
	world.end = 100000;
	world.virtual_time = true;
	for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
		switch (c) {
		case 's':
			world.seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			world.end = strtoull(optarg, NULL, 0);
			break;
		case 'o':
			world.only = optarg;
			break;
		case 't':
			world.trace = true;
			break;
		case 'r':
			world.virtual_time = false;
			break;
		case 'f':
			world.fault = fault_of(optarg);
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
}

/* The descriptors that a hub makes once and keeps: its loop's, and the set for poll masks that libev cannot say. So that no round is the first to
 * make them. */
static void make_hubs_descriptors(void)
{
	int fds[2];
	check(pipe(fds) == 0, "pipe: errno %d", errno);
	struct gev_fd_want odd = {.fd = fds[0], .poll_events = POLLIN | POLLPRI};
	check(world.rt->fds_wait(&odd, 1, now_ns() + MS, GEV_PARK_PLAIN) == 0, "an empty pipe is ready");
	check(world.rt->fd_wait(fds[0], GEV_READABLE, now_ns() + MS, GEV_PARK_PLAIN) == -ETIMEDOUT,
	      "an empty pipe is ready");
	gev_close(fds[0]);
	gev_close(fds[1]);
}

int main(int argc, char **argv)
{
	enum { ROUND = 20000, PATIENCE_S = 300 };
	parse(argc, argv);
	signal(SIGALRM, too_long);
	alarm(PATIENCE_S);
	virtual_start(world.virtual_time);
	world.rt = gev_embed_v1();
	check(gev_sleep(0) == 0, "no hub: errno %d", errno);
	make_hubs_descriptors();
	struct rng r = {world.seed};
	int64_t from = now_ns();
	struct leftovers first = {0};
	unsigned round = 0;
	for (; world.steps < world.end; round++) {
		uint64_t left = world.end - world.steps;
		uint64_t steps = 500 + below(&r, ROUND);
		round_of(left < steps ? left : steps, &r);
		check_leftovers(round, &first);
	}
	print_command(stdout);
	printf(": %u rounds, %.3f s of %s time, digest %016" PRIx64 "\n", round, (double)(now_ns() - from) / 1e9,
	       world.virtual_time ? "virtual" : "real", world.digest);
	if (world.trace)
		for (const struct op *o = ops; o->name; o++)
			printf("  %-10s %" PRIu64 "\n", o->name, world.done[o - ops]);
	return 0;
}
