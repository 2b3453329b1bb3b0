/* host.c: what `gev run` starts in its test: says how it was started. Built twice, dynamically and statically linked. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *preload = getenv("LD_PRELOAD");
	const char *status = getenv("STATUS");
	printf("preload=%s\npid=%d\narguments=", preload ? preload : "", (int)getpid());
	for (int i = 1; i < argc; i++)
		printf("%s|", argv[i]);
	putchar('\n');
	return status ? atoi(status) : 0;
}
