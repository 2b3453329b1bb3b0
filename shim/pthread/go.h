/* go.h: programs and libraries made by the Go compiler. */
#ifndef PATCH_PTHREAD_GO_H
#define PATCH_PTHREAD_GO_H

#include <stdbool.h>

/* Whether this program is Go's, or the object that the code belongs to. Without a lock. */
bool patch_is_go(const void *code);

#endif
