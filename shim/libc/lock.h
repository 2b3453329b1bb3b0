/* lock.h: waiting for a record lock. */
#ifndef SHIM_LIBC_LOCK_H
#define SHIM_LIBC_LOCK_H

/* fcntl(fd, F_SETLKW or F_OFD_SETLKW, lock). */
int lock_record(int fd, int command, unsigned long lock);

#endif
