/* thread.h: the watcher's OS thread: it answers, dumps and looks after the hubs while greenlets run or hang. */
#ifndef GEV_WATCH_THREAD_H
#define GEV_WATCH_THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct gev__watcher {
	bool control;
	int dump_signal;       /* 0: none */
	const char *dump_file; /* NULL: standard error */
	bool monitor;
	int64_t max_blocking;
};

/* Once a process, and again in a forked child. Failure is one message. */
void gev__watcher_start(const struct gev__watcher *how);

#endif
