/* The dump. */
#include "lib/watch/dump.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/options.h"
#include "lib/base/sys.h"
#include "lib/watch/cycle.h"
#include "lib/watch/outside.h"
#include "lib/watch/record.h"
#include "lib/watch/report.h"
#include "lib/watch/symbol.h"

static pid_t watcher; /* atomic */
static int asked;     /* atomic */
static int listened;

/* "SIGUSR2", "USR2", "12", "SIGRTMIN+3". 0: none of these. */
static int signal_number(const char *text, size_t n)
{
	char name[16];
	if (n == 0 || n >= sizeof name)
		return 0;
	memcpy(name, text, n);
	name[n] = '\0';
	if (isdigit((unsigned char)*name)) {
		char *end;
		long number = strtol(name, &end, 10);
		return *end == '\0' && number > 0 && number < NSIG ? (int)number : 0;
	}
	const char *bare = strncmp(name, "SIG", 3) == 0 ? name + 3 : name;
	if (strncmp(bare, "RTMIN", 5) == 0) {
		int number = SIGRTMIN + (bare[5] == '+' ? atoi(bare + 6) : 0);
		return number <= SIGRTMAX ? number : 0;
	}
	for (int i = 1; i < SIGRTMIN; i++) {
		const char *known = sigabbrev_np(i);
		if (known && strcmp(known, bare) == 0)
			return i;
	}
	return 0;
}

int gev__dump_prepare(const char *option, const char **file)
{
	if (*option == '\0')
		return 0;
	const char *comma = strchrnul(option, ',');
	int sig = signal_number(option, (size_t)(comma - option));
	/* signal(7): these two cannot be caught. */
	if (sig == 0 || sig == SIGKILL || sig == SIGSTOP) {
		gev__option_wrong("GEV_DUMP", option, "a signal that can be caught, such as SIGUSR2, or SIGUSR2,FILE",
				  "");
		return 0;
	}
	*file = comma[0] && comma[1] ? comma + 1 : NULL;
	return sig;
}

static void on_signal(int sig)
{
	int saved = errno;
	__atomic_store_n(&asked, 1, __ATOMIC_SEQ_CST);
	pid_t to = __atomic_load_n(&watcher, __ATOMIC_SEQ_CST);
	if (to && to != gev__sys.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0))
		gev__sys.syscall(SYS_tgkill, getpid(), to, sig, 0, 0, 0);
	errno = saved;
}

void gev__dump_listen(int sig)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
	sigemptyset(&action.sa_mask);
	sigaction(sig, &action, NULL);
	listened = sig;
}

bool gev__dump_owns(int sig)
{
	struct sigaction now;
	return listened == sig && sigaction(sig, NULL, &now) == 0 && now.sa_handler == on_signal;
}

void gev__dump_thread(pid_t tid)
{
	__atomic_store_n(&watcher, tid, __ATOMIC_SEQ_CST);
}

bool gev__dump_asked(void)
{
	return __atomic_exchange_n(&asked, 0, __ATOMIC_SEQ_CST);
}

void gev__dump_write(const char *file)
{
	struct gev__picture p;
	struct gev__text t = {0};
	gev__hubs_lock();
	if (gev__picture_take(&p) == 0) {
		gev__symbols_begin();
		gev__text_add(&t, "libgev: %zu greenlets of process %d\n", p.n, getpid());
		gev__report_bt(&t, &p, 0);
		gev__cycles_text(&t, &p);
		gev__symbols_end();
		gev__picture_done(&p);
	}
	gev__hubs_unlock();
	if (t.at == NULL)
		return;
	if (file == NULL) {
		gev__say_all(t.at, t.n);
	} else {
		int fd = (int)gev__sys.syscall(SYS_openat, AT_FDCWD, (long)file,
					       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666, 0, 0);
		static const char cannot[] = "libgev: the file of GEV_DUMP cannot be written\n";
		if (fd < 0 || gev__sys.write(fd, t.at, t.n) < 0)
			gev__say_all(cannot, sizeof cannot - 1);
		if (fd >= 0)
			gev__sys.close(fd);
	}
	gev__text_done(&t);
}
