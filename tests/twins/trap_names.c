/* A program with functions of its own that happen to bear the names of libev's and c-ares's: nobody else may call
 * them. */
#include "twin.h"

#define own(name)                                                                                                      \
	__attribute__((visibility("default"))) void name(void);                                                        \
	void name(void)                                                                                                \
	{                                                                                                              \
		static const char text[] = "called the program's " #name "\n";                                         \
		if (write(2, text, sizeof text - 1) < 0)                                                               \
			_exit(98);                                                                                     \
		abort();                                                                                               \
	}

own(ev_run) own(ev_loop_new) own(ev_default_loop) own(ev_io_start) own(ev_io_stop) own(ev_timer_start)
	own(ev_timer_again) own(ev_async_start) own(ev_async_send) own(ev_now) own(ev_time) own(ev_now_update)
		own(ev_set_allocator) own(ares_init) own(ares_init_options) own(ares_library_init)

			static int fd[2];

static void *echo(void *arg)
{
	char byte;
	while (read(fd[1], &byte, 1) == 1)
		check(write(fd[1], &byte, 1) == 1);
	return arg;
}

int main(void)
{
	char byte = 'x';
	stream_pair(fd);
	pthread_t t = spawn(echo, NULL);
	for (int i = 0; i < 100; i++)
		check(write(fd[0], &byte, 1) == 1 && read(fd[0], &byte, 1) == 1);
	usleep(1000);
	report_threads();
	close(fd[0]);
	join(t);
	puts("nobody called them");
	return 0;
}
