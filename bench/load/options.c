/* options.c: the command line of the load client. Knows nothing of sockets beyond how an address is written. */
#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"usage: load [options] ADDRESS:PORT\n"
	"  -c, --connections N   connections kept open (100)\n"
	"  -a, --active N        how many of them send; the others stay idle (all)\n"
	"  -n, --requests N      counted requests\n"
	"  -s, --seconds S       or: send for S seconds (2)\n"
	"  -w, --warmup N        requests before the counted ones (2 a connection)\n"
	"  -b, --size N          bytes a message (16)\n"
	"  -p, --pid PID         report CPU, threads and memory of this server\n"
	"      --rate R          so many requests a second, evenly spaced, measured from when each was due\n"
	"      --brief           a connection for each request, closed after its answer; no proxy, no idle ones\n"
	"      --wait            print `ready` once warm, wait for a line of input; the same before closing\n"
	"      --patience S      give up after S seconds without an answer (20)\n"
	"      --socks5 A:P      the server is a SOCKS5 proxy: reach the upper-case server A:P through it\n"
	"      --http-connect A:P  the server is an HTTP proxy: the same by CONNECT\n"
	"The server must answer each byte with its upper case.\n";

static void usage(const char *complaint)
{
	fprintf(stderr, "load: %s\n%s", complaint, usage_text);
	exit(2);
}

static struct sockaddr_in address_of(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	const char *colon = strrchr(text, ':');
	char host[64];
	long port = colon ? strtol(colon + 1, NULL, 10) : 0;

	if (port < 1 || port > 65535 || (size_t)(colon - text) >= sizeof(host))
		usage("an address is written 127.0.0.1:80");
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	address.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		usage("an address is written 127.0.0.1:80");
	return address;
}

static double number(const char *text, double least)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= least) || value > 1e15)
		usage("a number is missing or out of range");
	return value;
}

void options_parse(struct options *options, int argc, char **argv)
{
	enum { WAIT = 256, RATE, BRIEF, HELP, PATIENCE, SOCKS5, HTTP_CONNECT };
	static const struct option table[] = {
		{"connections", required_argument, NULL, 'c'},
		{"active", required_argument, NULL, 'a'},
		{"requests", required_argument, NULL, 'n'},
		{"seconds", required_argument, NULL, 's'},
		{"warmup", required_argument, NULL, 'w'},
		{"size", required_argument, NULL, 'b'},
		{"pid", required_argument, NULL, 'p'},
		{"rate", required_argument, NULL, RATE},
		{"brief", no_argument, NULL, BRIEF},
		{"help", no_argument, NULL, HELP},
		{"wait", no_argument, NULL, WAIT},
		{"patience", required_argument, NULL, PATIENCE},
		{"socks5", required_argument, NULL, SOCKS5},
		{"http-connect", required_argument, NULL, HTTP_CONNECT},
		{NULL, 0, NULL, 0},
	};
	bool active_given = false, warmup_given = false;
	int c;

	*options = (struct options){.connections = 100, .seconds = 2, .size = 16, .patience = 20};
	while ((c = getopt_long(argc, argv, "c:a:n:s:w:b:p:", table, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->connections = (unsigned)number(optarg, 1);
			break;
		case 'a':
			options->active = (unsigned)number(optarg, 0);
			active_given = true;
			break;
		case 'n':
			options->requests = (uint64_t)number(optarg, 1);
			break;
		case 's':
			options->seconds = number(optarg, 0.001);
			break;
		case 'w':
			options->warmup = (uint64_t)number(optarg, 0);
			warmup_given = true;
			break;
		case 'b':
			options->size = (unsigned)number(optarg, 1);
			break;
		case 'p':
			options->pid = (pid_t)number(optarg, 1);
			break;
		case RATE:
			options->rate = number(optarg, 1);
			break;
		case BRIEF:
			options->brief = true;
			break;
		case HELP:
			fputs(usage_text, stdout);
			exit(0);
		case WAIT:
			options->wait = true;
			break;
		case PATIENCE:
			options->patience = number(optarg, 0.1);
			break;
		case SOCKS5:
			options->via = VIA_SOCKS5;
			options->upstream = address_of(optarg);
			break;
		case HTTP_CONNECT:
			options->via = VIA_HTTP;
			options->upstream = address_of(optarg);
			break;
		default:
			usage("unknown option");
		}
	}
	if (optind + 1 != argc)
		usage("exactly one server, please");
	options->server = address_of(argv[optind]);
	if (options->brief && (options->via != VIA_NOTHING || options->rate > 0 || active_given))
		usage("--brief goes without proxies, --rate and --active");
	if (!active_given || options->active > options->connections)
		options->active = options->connections;
	if (!warmup_given)
		options->warmup = 2 * (uint64_t)options->active;
	if (options->size > 1u << 20)
		usage("a message is at most 1 MiB");
}
