/* single.c: a program that never makes a thread, and starts none that could. */
#include <stdio.h>

int main(void)
{
	return puts("alone") < 0;
}
