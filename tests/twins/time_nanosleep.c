/* nanosleep and usleep: ten threads together, arguments that are wrong, the remaining time untouched when all went
 * well. */
#include "twin.h"

enum { THREADS = 10 };

static void *run(void *arg)
{
	struct timespec wanted = {0, 200000000}, rest = {5, 5};
	together(THREADS, (arg ? usleep(200000) : nanosleep(&wanted, &rest)) == 0);
	check(rest.tv_sec == 5 && rest.tv_nsec == 5);
	check(nanosleep(&wanted, NULL) == 0);
	return arg;
}

int main(void)
{
	pthread_t t[THREADS];
	double began = now();
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(run, (void *)(i % 2));
	report_threads();

	/* While the others sleep, so that the answers do not come from a call that just passes through. */
	struct timespec none = {0, 0}, too_many = {0, 1000000000}, negative = {-1, 0}, short_of = {0, -1};
	show(nanosleep(&none, NULL));
	show(nanosleep(&too_many, NULL));
	show(nanosleep(&negative, NULL));
	show(nanosleep(&short_of, NULL));
	show(usleep(0));
	show(usleep(1));
	show(usleep(1000000 / 20));
	show(sleep(0));

	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	double took = now() - began;
	printf("not early: %d\n", took >= 0.4);
	return 0;
}
