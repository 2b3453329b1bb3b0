/* System V message queues and semaphores: threads that wait for a message, for room, for a count, for zero; a timeout;
 * what must not wait; a handler; a cancellation; removal. */
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "twin.h"

struct message {
	long type;
	char text[1024];
};

static int queue, set;
static sem_t here;

static void *receive(void *arg)
{
	struct message m;
	sem_post(&here);
	ssize_t n = msgrcv(queue, &m, sizeof m.text, (long)arg, 0);
	if (n < 0)
		return (void *)(long)-errno;
	printf("type %ld: %.5s\n", m.type, m.text);
	return (void *)(long)n;
}

static void put(long type, const char *text)
{
	struct message m = {.type = type};
	strcpy(m.text, text);
	check(msgsnd(queue, &m, 5, 0) == 0);
}

static void *put_one_more(void *arg)
{
	struct message m = {.type = 9};
	sem_post(&here);
	return (void *)(long)(msgsnd(queue, &m, sizeof m.text, 0) < 0 ? -errno : 0);
}

static void messages(void)
{
	struct message m = {.type = 8};
	int n = 0;
	pthread_t two = spawn(receive, (void *)2), any = spawn(receive, (void *)0);
	wait_for(&here);
	wait_for(&here);
	put(2, "same.");
	put(2, "same.");
	check((long)join(two) == 5 && (long)join(any) == 5);
	m.type = 8;
	while (msgsnd(queue, &m, sizeof m.text, IPC_NOWAIT) == 0)
		n++;
	printf("full: %s\n", strerrorname_np(errno));
	pthread_t t = spawn(put_one_more, NULL);
	wait_for(&here);
	for (int i = 0; i < n; i++)
		check(msgrcv(queue, &m, sizeof m.text, 8, 0) == sizeof m.text);
	check(join(t) == NULL);
	show(msgrcv(queue, &m, sizeof m.text, 9, 0));
	show(msgrcv(queue, &m, sizeof m.text, 0, IPC_NOWAIT));
	show(msgsnd(queue, &m, 100000000, 0));
	show(msgrcv(-1, &m, 10, 0, 0));
	put(1, "large");
	show(msgrcv(queue, &m, 2, 0, 0));
	show(msgrcv(queue, &m, 2, 0, MSG_NOERROR));
}

static void *operate(void *arg)
{
	sem_post(&here);
	return (void *)(long)(semop(set, arg, 1) < 0 ? errno : 0);
}

static int change(unsigned short which, short by, short flags)
{
	struct sembuf b = {which, by, flags};
	return semop(set, &b, 1);
}

static void semaphores(void)
{
	struct sembuf down = {0, -2, 0}, zero = {1, 0, 0}, both[2] = {{0, -1, 0}, {1, -1, IPC_NOWAIT}};
	struct timespec little = {.tv_nsec = 10000000}, bad = {.tv_nsec = -1};
	pthread_t a = spawn(operate, &down);
	wait_for(&here);
	check(change(0, 1, 0) == 0);
	check(change(0, 1, 0) == 0);
	printf("went down: %ld\n", (long)join(a));
	check(change(1, 1, 0) == 0);
	a = spawn(operate, &zero);
	wait_for(&here);
	check(change(1, -1, 0) == 0);
	printf("is zero: %ld\n", (long)join(a));
	show(change(0, -1, IPC_NOWAIT));
	beside_begin();
	double began = now();
	show(semtimedop(set, &down, 1, &little));
	check(now() - began >= 0.009);
	beside_end();
	show(semtimedop(set, &down, 1, &bad));
	check(change(0, 1, 0) == 0);
	show(semop(set, both, 2));
	show(change(99, 1, 0));
	show(semop(set, &down, 0));
	show(change(0, -1, SEM_UNDO));
}

static void on_signal(int sig)
{
}

static void interrupted(void)
{
	struct sembuf down = {0, -1, 0};
	struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	void *value;
	sigaction(SIGUSR1, &a, NULL);
	for (int i = 0; i < 2; i++) {
		pthread_t t = i ? spawn(operate, &down) : spawn(receive, (void *)0);
		wait_for(&here);
		while (pthread_tryjoin_np(t, &value) == EBUSY) {
			pthread_kill(t, SIGUSR1);
			usleep(1000);
		}
		printf("interrupted: %s\n", strerrorname_np(abs((int)(long)value)));
	}
	pthread_t t = spawn(receive, (void *)0);
	wait_for(&here);
	pthread_cancel(t);
	check(join(t) == PTHREAD_CANCELED);
	put(4, "still");
	receive((void *)4);
	wait_for(&here);
}

static void removed(void)
{
	struct sembuf down = {0, -1, 0};
	pthread_t a = spawn(operate, &down), b = spawn(receive, (void *)0);
	wait_for(&here);
	wait_for(&here);
	check(semctl(set, 0, IPC_RMID) == 0 && msgctl(queue, IPC_RMID, NULL) == 0);
	int first = (int)(long)join(a), second = abs((int)(long)join(b));
	/* Who had not begun to wait yet finds nothing there. */
	check((first == EIDRM || first == EINVAL) && (second == EIDRM || second == EINVAL));
	puts("removed");
}

int main(void)
{
	sem_t go;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	queue = msgget(IPC_PRIVATE, 0600);
	set = semget(IPC_PRIVATE, 2, 0600);
	check(queue >= 0 && set >= 0);
	check(semctl(set, 0, SETVAL, 0) == 0 && semctl(set, 1, SETVAL, 0) == 0);
	pthread_t parked = spawn(parked_until, &go);
	messages();
	semaphores();
	interrupted();
	removed();
	sem_post(&go);
	join(parked);
	return 0;
}
