/* options.h: what the load client was asked to do. Filled once from the command line, then only read. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum via { VIA_NOTHING, VIA_SOCKS5, VIA_HTTP };

struct options {
	struct sockaddr_in server;   /* where the client connects */
	struct sockaddr_in upstream; /* where a proxy is asked to connect */
	enum via via;
	unsigned connections;
	unsigned active;   /* how many of them send; the others stay open and idle */
	uint64_t requests; /* counted requests; 0: run for `seconds` */
	double seconds;
	double rate;     /* requests a second; 0: each connection sends as soon as it has its answer */
	uint64_t warmup; /* requests before the counted ones */
	unsigned size;   /* bytes a message */
	pid_t pid;       /* the server, for its CPU, memory and threads; 0: not asked */
	bool brief;      /* a connection a request, `connections` of them at a time */
	bool wait;       /* for a line on standard input: when warm, after saying `ready`; and before closing */
	double patience; /* seconds without any answer after which the server counts as stuck */
};

/* Ends the process with a usage message when the command line makes no sense. */
void options_parse(struct options *options, int argc, char **argv);

#endif
