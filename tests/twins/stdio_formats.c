/* Letters of the program's own for printf, whose functions wait in the midst of it: others print to other streams meanwhile, and who wants the same
 * one waits. One of them reads what the others have to print first, and one computes for longer than a time slice. */
#include "streams.h"

#include <printf.h>

static sem_t inside, go;
static int way[2];

static int takes_pointer(const struct printf_info *info, size_t n, int *types, int *sizes)
{
	if (n > 0) {
		types[0] = PA_POINTER;
		sizes[0] = sizeof(void *);
	}
	return 1;
}

static int takes_pointer_only(const struct printf_info *info, size_t n, int *types)
{
	if (n > 0)
		types[0] = PA_POINTER;
	return 1;
}

static int print_waiting(FILE *f, const struct printf_info *info, const void *const *args)
{
	sem_post(&inside);
	wait_for(&go);
	return fprintf(f, "<%s %d>", *(const char *const *)args[0], info->width);
}

static int print_read(FILE *f, const struct printf_info *info, const void *const *args)
{
	char text[6] = "";
	sem_post(&inside);
	read_all(way[0], text, 5);
	return fprintf(f, "(%s)", text);
}

/* As long as nobody else has got on, but natively with others at the same time. */
static int print_computing(FILE *f, const struct printf_info *info, const void *const *args)
{
	double end = now() + 0.03;
	while (now() < end)
		for (volatile int i = 0; i < 1000; i++)
			;
	return fprintf(f, "{%d}", *(const int *)args[0]);
}

static int takes_int(const struct printf_info *info, size_t n, int *types, int *sizes)
{
	if (n > 0) {
		types[0] = PA_INT;
		sizes[0] = sizeof(int);
	}
	return 1;
}

static void *print_w(void *arg)
{
	check(fprintf(out, "a %5W b\n", (char *)arg) > 0);
	return NULL;
}

static void *print_r(void *arg)
{
	char text[100];
	check(snprintf(text, sizeof text, "%R", arg) == 7);
	check(fprintf(out, "in a text: %s, in a stream: %R\n", text, arg) > 0);
	return NULL;
}

static void *print_c(void *arg)
{
	for (int i = 0; i < 10; i++)
		check(fprintf(out, "%Y\n", (int)(long)arg) > 0);
	return NULL;
}

static void *print_plain(void *arg)
{
	check(fprintf(out, "%s\n", (char *)arg) > 0);
	__atomic_store_n(&wanted_done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void show_lines(void)
{
	char line[100];
	rewind(out);
	while (fgets(line, sizeof line, out))
		printf("%s", line);
	check(fclose(out) == 0);
	out = tmpfile();
}

int main(void)
{
	sem_init(&inside, 0, 0);
	sem_init(&go, 0, 0);
	stream_pair(way);
	out = tmpfile();
	/* One before the first thread, and two after it. */
	check(register_printf_specifier('W', print_waiting, takes_pointer) == 0);
	pthread_t t = spawn(print_w, "waits"), other;
	check(register_printf_function('R', print_read, takes_pointer_only) == 0);
	check(register_printf_specifier('Y', print_computing, takes_int) == 0);
	show(register_printf_specifier(-1, print_computing, takes_int));
	show(register_printf_specifier(256, print_computing, takes_int));
	wait_for(&inside);
	other = spawn(print_plain, "after it");
	report_threads();
	for (int i = 0; i < 20; i++)
		sched_yield();
	printf("another's try: %s\n", ftrylockfile(out) ? "held" : "free");
	printf("another is %s\n", __atomic_load_n(&wanted_done, __ATOMIC_SEQ_CST) ? "through" : "waiting");
	sem_post(&go);
	join(t);
	join(other);
	show_lines();

	t = spawn(print_r, NULL);
	for (int i = 0; i < 2; i++) {
		wait_for(&inside);
		write_all(way[1], "bytes", 5);
	}
	join(t);
	show_lines();

	t = spawn(print_c, (void *)7);
	other = spawn(print_c, (void *)7);
	for (int i = 0; i < 1000; i++)
		fprintf(stderr, "%s", "");
	check(fprintf(out, "{7}\n") == 4);
	join(t);
	join(other);
	show_lines();
	return 0;
}
