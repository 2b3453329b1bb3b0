/* frames.c: walks from a thread's function along the saved frame pointers, as perf record -g does. To be run with the shim: the walk must
 * stay on the thread's stack and end at a zero, and the thread's function must not be the only frame. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

/* What a frame pointer points to, on x86-64 (psABI 3.2.2) and aarch64 (AAPCS64 6.4.6). */
struct frame {
	const struct frame *older;
	void *returns_to;
};

static __attribute__((noinline)) void *work(void *arg)
{
	pthread_attr_t attr;
	void *low;
	size_t size;
	int *frames = arg;
	if (pthread_getattr_np(pthread_self(), &attr) != 0 || pthread_attr_getstack(&attr, &low, &size) != 0)
		return NULL;
	pthread_attr_destroy(&attr);
	const struct frame *at = __builtin_frame_address(0);
	for (*frames = 1; at->older; ++*frames, at = at->older) {
		if (at->older <= at || (uintptr_t)at->older + sizeof *at > (uintptr_t)low + size) {
			printf("frame %d leads to %p, off the stack\n", *frames, (const void *)at->older);
			return NULL;
		}
	}
	return arg;
}

int main(void)
{
	pthread_t thread;
	void *went_well = NULL;
	int frames = 0;
	if (pthread_create(&thread, NULL, work, &frames) != 0 || pthread_join(thread, &went_well) != 0)
		return 2;
	printf("%d frames\n", frames);
	return went_well && frames > 1 ? 0 : 1;
}
