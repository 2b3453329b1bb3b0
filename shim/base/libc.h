/* libc.h: every libc header that a row of symbols.def needs for its types. */
#ifndef PATCH_LIBC_H
#define PATCH_LIBC_H

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <printf.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <termios.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wordexp.h>

struct __res_state;
struct aiocb;
struct aliasent;
struct ether_addr;
struct passwd;
struct option;
struct sgrp;
struct spwd;
struct utmp;
struct utmpx;

/* For old programs; libc's headers know it no more (signal/sigvec.c). */
struct sigvec {
	__sighandler_t sv_handler;
	int sv_mask;
	int sv_flags;
};

/* liburing's, which need not be there. */
struct io_uring;
struct io_uring_cqe;

#endif
