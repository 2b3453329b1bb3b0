/* load: N kept-open connections, one thread; prints what it measured as one line of JSON.
 *
 * Opens, warms up, then measures: the server's CPU is read when nothing is under way, before the first counted
 * request and after the last answer. Exit status 0 only when every answer was right.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "brief.h"
#include "client.h"
#include "watch.h"

static struct latency latency;

static void print_result(const struct options *options, unsigned alive, const struct result *setup,
			 const struct result *counted)
{
	printf("{\"connections\": %u, \"active\": %u, \"alive\": %u, \"size\": %u", options->connections,
	       options->active, alive, options->size);
	printf(", \"requests\": %" PRIu64 ", \"seconds\": %.6f, \"per_second\": %.1f", counted->requests,
	       counted->seconds, (double)counted->requests / counted->seconds);
	printf(", \"checked\": %" PRIu64 ", \"wrong\": %" PRIu64 ", \"errors\": %" PRIu64,
	       setup->requests + counted->requests, setup->wrong + counted->wrong, setup->errors + counted->errors);
	printf(", \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f", (double)latency_at(&latency, 0.50) / 1e3,
	       (double)latency_at(&latency, 0.99) / 1e3, (double)latency.max / 1e3);
}

static void print_usage(const char *name, const struct usage *usage)
{
	printf(", \"%s\": {\"threads\": %ld, \"rss_kb\": %ld, \"pte_kb\": %ld}", name, usage->threads, usage->rss_kb,
	       usage->pte_kb);
}

static void print_cpu(const struct usage *from, const struct usage *to, uint64_t requests)
{
	double cpu = to->cpu - from->cpu;

	printf(", \"cpu_seconds\": %.6f, \"cpu_user\": %.2f, \"cpu_system\": %.2f, \"cpu_us_per_request\": %.4f", cpu,
	       to->user - from->user, to->system - from->system, requests ? cpu * 1e6 / (double)requests : 0.0);
}

static void wait_for_line(void)
{
	int c;

	fflush(stdout);
	do
		c = getchar();
	while (c != '\n' && c != EOF);
}

static void fail(void)
{
	perror("load");
	exit(1);
}

/* The warm-up (latency NULL) is never paced: it is to be over soon. */
static void run(const struct options *options, struct client *client, uint64_t requests, struct result *result,
		struct latency *into)
{
	if (client)
		client_run(client, requests, options->seconds, into ? options->rate : 0, result, into);
	else if (brief_run(options, requests, options->seconds, result, into) < 0)
		fail();
}

int main(int argc, char **argv)
{
	struct usage before = {0}, open = {0}, from = {0}, to = {0};
	struct result setup = {0}, counted = {0};
	struct options options;
	struct client *client = NULL;
	bool watched;

	options_parse(&options, argc, argv);
	watched = options.pid && usage_read(&before, options.pid) == 0;
	if (!options.brief) {
		client = client_open(&options, &setup);
		if (!client)
			fail();
	}
	watched = watched && usage_read(&open, options.pid) == 0;
	if (options.warmup)
		run(&options, client, options.warmup, &setup, NULL);
	if (options.wait) {
		puts("ready");
		wait_for_line();
	}
	watched = watched && usage_read(&from, options.pid) == 0;
	run(&options, client, options.requests, &counted, &latency);
	watched = watched && usage_read(&to, options.pid) == 0;

	print_result(&options, client ? client_alive(client) : 0, &setup, &counted);
	if (watched) {
		print_usage("before", &before);
		print_usage("open", &open);
		print_usage("after", &to);
		print_cpu(&from, &to, counted.requests);
	} else if (options.pid) {
		printf(", \"gone\": true");
	}
	puts("}");
	if (options.wait)
		wait_for_line(); /* the server's work of closing is not part of what is counted meanwhile */
	client_free(client);
	return setup.wrong || setup.errors || counted.wrong || counted.errors;
}
