/* control.h: asking a process by its control socket. The protocol: docs/control.md. */
#ifndef TOOLS_CONTROL_H
#define TOOLS_CONTROL_H

#include <stddef.h>
#include <sys/types.h>

/* A connection to the process's socket with the question sent; the answer can be read until its end. -1: none, and `why` says it. */
int control_ask(pid_t pid, const char *question, char *why, size_t size);

#endif
