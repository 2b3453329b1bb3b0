/* The first seed of the project: one eats, one plays, each blocking, and while one does the other gets on: whose time is shorter ends first. */
#include "twin.h"

static volatile int order;
static volatile bool played;
static char said[8];

static void say(char what)
{
	said[__atomic_fetch_add(&order, 1, __ATOMIC_RELAXED)] = what;
}

static void *eat(void *arg)
{
	say('e');
	/* As long again, on a machine that is so busy that the shorter time ends later. */
	while (usleep(300000) == 0 && !(played && fixture.reported))
		;
	say('E');
	return arg;
}

static void *play(void *arg)
{
	say('p');
	while (usleep(200000) == 0 && order < 2)
		;
	say('P');
	played = true;
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
	printf("not early: %d\n", took >= 0.3);
	return 0;
}
