/* passed-stub.h: the instructions that count a call and go on; one file an architecture. */
#ifndef PATCH_WATCH_PASSED_STUB_H
#define PATCH_WATCH_PASSED_STUB_H

enum { PATCH_STUBS = 1024 };

/* The i-th; NULL: this architecture has none. */
void *patch_passed_stub(unsigned i);

/* Called by it; where the call goes on. */
void *patch_passed_count(unsigned index) __attribute__((visibility("hidden")));

#endif
