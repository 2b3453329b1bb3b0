/* eventfd: a reader parks until the counter moves, a writer parks while it is full; semaphore mode; timerfd alike. */
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "twin.h"

static int counter, full;
static sem_t here;

static void *reader(void *arg)
{
	eventfd_t value = 0;
	sem_post(&here);
	check(read(counter, &value, sizeof value) == sizeof value);
	return (void *)(long)value;
}

static void *writer(void *arg)
{
	uint64_t value = 10;
	sem_post(&here);
	check(arg ? eventfd_write(full, value) == 0 : write(full, &value, sizeof value) == sizeof value);
	return arg;
}

static void *call_reader(void *arg)
{
	eventfd_t value = 0;
	sem_post(&here);
	check(eventfd_read(counter, &value) == 0);
	return (void *)value;
}

int main(void)
{
	uint64_t value = 0;
	char small[4];
	sem_init(&here, 0, 0);
	counter = eventfd(0, 0);
	pthread_t t = spawn(reader, NULL);
	wait_for(&here);
	report_threads();
	check(eventfd_write(counter, 5) == 0);
	printf("reader got %ld\n", (long)join(t));
	show(read(counter, small, sizeof small));

	full = eventfd(0, 0);
	for (long by_name = 0; by_name < 2; by_name++) {
		check(eventfd_write(full, UINT64_MAX - 5) == 0);
		t = spawn(writer, (void *)by_name);
		wait_for(&here);
		check(read(full, &value, sizeof value) == sizeof value);
		printf("was full: %d\n", value == UINT64_MAX - 5);
		join(t);
		check(read(full, &value, sizeof value) == sizeof value);
		printf("then %d\n", (int)value);
	}

	int many = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);
	for (int i = 0; i < 3; i++) {
		check(read(many, &value, sizeof value) == sizeof value);
		printf("%d ", (int)value);
	}
	show(read(many, &value, sizeof value));

	/* With a sleeper beside, so that a blocking read cannot simply pass through. */
	counter = eventfd(0, 0);
	t = spawn(reader, NULL);
	wait_for(&here);
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec soon = {.it_value = {0, 20000000}};
	check(timerfd_settime(timer, 0, &soon, NULL) == 0);
	show(read(timer, &value, sizeof value));
	printf("expirations %d\n", (int)value);
	check(eventfd_write(counter, 1) == 0);
	join(t);

	counter = eventfd(0, 0);
	t = spawn(call_reader, NULL);
	wait_for(&here);
	check(eventfd_write(counter, 7) == 0);
	printf("eventfd_read got %ld\n", (long)join(t));
	return 0;
}
