/* popen in several threads at once: each talks to its child while the others do; pclose waits for the child alone. */
#include "streams.h"

#include <sys/wait.h>

int _IO_proc_close(FILE *f);

enum { THREADS = 5 };

static void *talk(void *arg)
{
	int me = (int)(intptr_t)arg;
	char command[200], line[100];
	snprintf(command, sizeof command, "echo child %d; sleep 0.0%d; echo still %d; exit %d", me, me, me, me);
	FILE *f = popen(command, "r");
	check(f != NULL);
	check(fgets(line, sizeof line, f) != NULL);
	int a = -1, b = -1;
	check(sscanf(line, "child %d", &a) == 1);
	check(fscanf(f, "still %d", &b) == 1);
	check(a == me && b == me);
	int status = pclose(f);
	check(WIFEXITED(status));
	until_reported();
	return (void *)(intptr_t)WEXITSTATUS(status);
}

static int gate[2];

/* The child ends when main has written a byte: pclose must let main get on. */
static void *close_late(void *arg)
{
	char command[100];
	snprintf(command, sizeof command, "cat >/dev/null; head -c1 <&%d >/dev/null; exit 7", gate[0]);
	FILE *f = popen(command, "w");
	check(f != NULL);
	for (int i = 0; i < 20000; i++)
		check(fputs("some lines of text\n", f) >= 0);
	sem_post(&here);
	int status = arg ? _IO_proc_close(f) : pclose(f);
	return (void *)(intptr_t)(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

int main(void)
{
	pthread_t t[THREADS];
	sem_init(&here, 0, 0);
	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(talk, (void *)(intptr_t)i);
	report_threads();
	for (int i = 0; i < THREADS; i++)
		printf("child %d: status %d\n", i, (int)(intptr_t)join(t[i]));
	for (int i = 0; i < 2; i++) {
		check(pipe(gate) == 0);
		pthread_t late = spawn(close_late, i ? &here : NULL);
		wait_for(&here);
		sched_yield();
		write_all(gate[1], "x", 1);
		printf("late: status %d\n", (int)(intptr_t)join(late));
		close(gate[0]);
		close(gate[1]);
	}
	/* fclose of popen's stream waits too. Somebody else has reaped this one. */
	FILE *f = popen("exit 3", "r");
	check(wait(NULL) > 0);
	show(pclose(f));
	f = popen("exit 3", "r");
	int (*volatile close_stream)(FILE *) = fclose; /* the compiler knows that popen goes with pclose */
	show(close_stream(f));
	show(waitpid(-1, NULL, WNOHANG));
	return 0;
}
