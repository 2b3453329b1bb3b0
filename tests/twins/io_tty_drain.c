/* tcdrain, tcsetattr and tcsendbreak on a terminal and on what is none, from a thread beside others. */
#include <pty.h>
#include <termios.h>

#include "twin.h"

static void *drain(void *arg)
{
	int master, slave, pair[2];
	char buf[100];
	struct termios t;
	check(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	check(tcgetattr(slave, &t) == 0);
	t.c_oflag = 0;
	show(tcsetattr(slave, TCSAFLUSH, &t));
	write_all(slave, "out", 3);
	errno = 7;
	check(tcdrain(slave) == 0 && errno == 7);
	show(tcsetattr(slave, TCSADRAIN, &t));
	show(tcsendbreak(slave, 0));
	show((int)read(master, buf, sizeof buf));
	show(tcsetattr(slave, 99, &t));
	stream_pair(pair);
	show(tcdrain(pair[0]));
	show(tcsetattr(pair[0], TCSADRAIN, &t));
	show(tcsendbreak(pair[0], 0));
	show(tcdrain(-1));
	close(master);
	show(tcdrain(slave));
	close(slave);
	return arg;
}

static void *cancelled(void *arg)
{
	pthread_cancel(pthread_self());
	tcdrain(-1);
	return arg;
}

int main(void)
{
	sem_t go;
	sem_init(&go, 0, 0);
	pthread_t parked = spawn(parked_until, &go);
	report_threads();
	beside_begin();
	join(spawn(drain, NULL));
	beside_end();
	check(join(spawn(cancelled, NULL)) == PTHREAD_CANCELED);
	sem_post(&go);
	join(parked);
	return 0;
}
