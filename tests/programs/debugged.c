/* What gdb is given to debug: four threads that end one after the other, and a function to stop at. */
#include <pthread.h>
#include <stdio.h>

int left(int sum);

__attribute__((noinline)) int left(int sum)
{
	__asm__ volatile("" : : "r"(sum) : "memory");
	return sum;
}

static void *add(void *sum)
{
	*(int *)sum += 21;
	return NULL;
}

int main(void)
{
	int sum = 0;
	for (int i = 0; i < 4; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, add, &sum))
			return 1;
		pthread_join(thread, NULL);
	}
	printf("sum %d\n", left(sum));
	return 0;
}
