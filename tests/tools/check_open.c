/* check_open.c: for `gev check`: reads the kernel's log, which waits and is not covered, and uses a library that goes past libc.
 * With an argument it says that it is ready, and waits for its standard input to end. */
#include <stddef.h>
#include <sys/klog.h>
#include <unistd.h>

long past_libc(int *word);

int main(int argc, char **argv)
{
	(void)argv;
	char end;
	int word = 0;
	if (argc > 2)
		return (int)past_libc(&word) + klogctl(10, NULL, 0);
	if (argc > 1 && write(STDOUT_FILENO, "ready\n", 6) == 6)
		return (int)read(STDIN_FILENO, &end, 1);
	return 0;
}
