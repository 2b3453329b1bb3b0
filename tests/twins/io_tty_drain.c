/* tcdrain, tcsetattr, tcsendbreak and the requests of ioctl that wait as they do, on a terminal and on what is none, from a thread beside others. */
#include <linux/fs.h>
#include <pty.h>
#include <sys/ioctl.h>
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

static void *request(void *arg)
{
	int master, slave, pair[2], number = 0;
	char buf[100];
	struct termios t;
	/* The kernel's, which is shorter than libc's: what it fills is given back to it. */
	char kernels[sizeof(struct termios)], old[100];
	check(openpty(&master, &slave, NULL, NULL, NULL) == 0 && tcgetattr(slave, &t) == 0);
	t.c_oflag = 0;
	check(tcsetattr(slave, TCSANOW, &t) == 0);
	show(ioctl(slave, TCGETS, kernels));
	show(ioctl(slave, TCGETA, old));
	write_all(slave, "out", 3);
	show(ioctl(slave, TCSBRK, 1));
	show(ioctl(slave, TCSBRK, 0));
	show(ioctl(slave, TCSBRKP, 1));
	show(ioctl(slave, TIOCSBRK));
	show(ioctl(slave, TIOCCBRK));
	show(ioctl(slave, TCSETSW, kernels));
	show(ioctl(slave, TCSETAW, old));
	show(ioctl(slave, TCXONC, TCOON));
	show(ioctl(slave, TCXONC, TCIOFF));
	show(ioctl(slave, TCXONC, 77));
	show(ioctl(slave, TIOCMIWAIT, 0));
	show(ioctl(slave, TIOCSETD, &number));
	show(ioctl(slave, TIOCSETD, NULL));
	read_all(master, buf, 4); /* and the STOP character; each comes by itself */
	show(ioctl(slave, TCSETSF, kernels));
	show(ioctl(slave, TCSETAF, old));
	show(ioctl(slave, TCSETSW, NULL));
	stream_pair(pair);
	const unsigned long others[] = {TCSBRK,     TCSBRKP, TCXONC,  TCSETSW,       TCSETSF,   TCSETAW,   TIOCSETD,
					TIOCMIWAIT, FITRIM,  FICLONE, FIDEDUPERANGE, BLKFLSBUF, BLKRRPART, BLKDISCARD};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		show(ioctl(pair[0], others[i], NULL));
	show(ioctl(-1, TCSBRK, 1));
	show(ioctl(-1, FITRIM, NULL));
	int dir = open(".", O_RDONLY | O_DIRECTORY);
	show(ioctl(dir, FIDEDUPERANGE, NULL));
	show(ioctl(dir, FICLONE, -1));
	show(tcsendbreak(slave, 150));
	close(master);
	show(ioctl(slave, TCSBRK, 1));
	show(ioctl(slave, TCSETSW, kernels));
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
	join(spawn(request, NULL));
	beside_end();
	check(join(spawn(cancelled, NULL)) == PTHREAD_CANCELED);
	sem_post(&go);
	join(parked);
	return 0;
}
