/* loader-error.h: the loader's last error, which the program may not have asked for yet (dlerror(3)): every dlopen and dlsym of ours would forget it. */
#ifndef PATCH_LOADER_ERROR_H
#define PATCH_LOADER_ERROR_H

/* Around calls of dlopen and dlsym, on one thread: takes what is there, and puts it back in place of what they have left. They nest. */
void *patch_loader_error_take(void);
void patch_loader_error_put(void *taken);

#endif
