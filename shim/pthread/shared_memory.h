/* shared_memory.h: whether memory can be another process's too. */
#ifndef PATCH_PTHREAD_SHARED_MEMORY_H
#define PATCH_PTHREAD_SHARED_MEMORY_H

#include <stdbool.h>

/* Costs a read of /proc/self/maps. true also where that cannot be read. */
bool patch_memory_shared(const void *address);

#endif
