/* screen.h: the live screen of gev top. */
#ifndef TOOLS_TOP_SCREEN_H
#define TOOLS_TOP_SCREEN_H

#include "tools/top/picture.h"

/* Shows the process until the user ends it (0) or the process does (-1 and a sentence in `why`). `seconds`: between two pictures. */
int screen_run(pid_t pid, const char *program, double seconds, enum order order, char *why, size_t size);

#endif
