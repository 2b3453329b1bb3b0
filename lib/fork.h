/* fork.h: what of the runtime goes through a fork. Contracts: gev/embed.h, fork_*. */
#ifndef GEV_FORK_H
#define GEV_FORK_H

/* In the forking thread. Again before the end of the same fork: nothing. */
void gev__fork_prepare(void);
void gev__fork_parent(void);
void gev__fork_child(void);

#endif
