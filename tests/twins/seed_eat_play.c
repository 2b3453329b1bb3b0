/* The first seed of the project: one eats, one plays, each blocking, and together they take as long as the longer. */
#include "twin.h"

static int order;
static char said[8];

static void say(char what)
{
	said[__atomic_fetch_add(&order, 1, __ATOMIC_RELAXED)] = what;
}

static void *eat(void *arg)
{
	say('e');
	usleep(300000);
	say('E');
	return arg;
}

static void *play(void *arg)
{
	say('p');
	usleep(200000);
	say('P');
	return arg;
}

int main(void)
{
	double began = now();
	pthread_t a = spawn(eat, NULL), b = spawn(play, NULL);
	report_threads();
	join(a);
	join(b);
	double took = now() - began;
	printf("both began: %d, play ended first: %d\n", strspn(said, "ep") == 2, !strcmp(said + 2, "PE"));
	printf("0.3 s, not 0.5: %d\n", took >= 0.3 && took < 0.48);
	return 0;
}
