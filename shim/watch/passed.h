/* passed.h: counting the calls that are not made cooperative, while others are ready to run: the ones that cost concurrency. */
#ifndef PATCH_WATCH_PASSED_H
#define PATCH_WATCH_PASSED_H

/* Before main, and again when there may be new libraries: with GEV_STATS the program's calls of LATER rows are counted on their way to libc. */
void patch_passed(void);

/* Once the runtime has started: its statistics shall show them. */
void patch_passed_begin(void);

#endif
