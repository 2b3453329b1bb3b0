/* linked.c: a program outside the tree that links the installed libgev, as pkg-config says. Both greenlets sleep at once. */
#include <stdio.h>
#include <string.h>

#include <gev/gev.h>

static int asleep, most;

static void *nap(void *arg)
{
	if (++asleep > most)
		most = asleep;
	gev_sleep(0.01);
	asleep--;
	return arg;
}

int main(int argc, char **argv)
{
	char words[2][8] = {"one", "two"};
	void *value[2] = {NULL, NULL};
	if (argc < 2 || strcmp(argv[1], gev_version()) != 0) {
		fprintf(stderr, "linked: the library is version %s\n", gev_version());
		return 1;
	}
	struct gev_greenlet *a = gev_spawn(nap, words[0]);
	struct gev_greenlet *b = gev_spawn(nap, words[1]);
	if (!a || !b || gev_join(a, GEV_FOREVER, &value[0]) != 0 || gev_join(b, GEV_FOREVER, &value[1]) != 0) {
		perror("linked");
		return 1;
	}
	printf("%s %s, %d at once\n", (char *)value[0], (char *)value[1], most);
	return 0;
}
