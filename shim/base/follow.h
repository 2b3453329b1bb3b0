/* follow.h: whether the programs that this one starts are patched too. */
#ifndef PATCH_FOLLOW_H
#define PATCH_FOLLOW_H

/* Before main. With GEV_FOLLOW=0 it takes libpatch out of LD_PRELOAD, so that nobody inherits it; what else stands there stays. */
void patch_follow(void);

#endif
