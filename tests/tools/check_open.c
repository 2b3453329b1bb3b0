/* check_open.c: for `gev check`: looks at what the loader has loaded, which is not covered, and uses a library that goes past libc.
 * With an argument it says that it is ready, and waits for its standard input to end. */
#include <link.h>
#include <stddef.h>
#include <unistd.h>

long past_libc(int *word);

static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)info;
	(void)size;
	(void)arg;
	return 0;
}

int main(int argc, char **argv)
{
	(void)argv;
	char end;
	int word = 0;
	if (argc > 2)
		return (int)past_libc(&word) + dl_iterate_phdr(look, NULL);
	if (argc > 1 && write(STDOUT_FILENO, "ready\n", 6) == 6)
		return (int)read(STDIN_FILENO, &end, 1);
	return 0;
}
