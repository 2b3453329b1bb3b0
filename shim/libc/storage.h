/* storage.h: what ioctl asks of files and block devices that takes as long as there is storage to read, write or discard. */
#ifndef SHIM_LIBC_STORAGE_H
#define SHIM_LIBC_STORAGE_H

#include <linux/fs.h>
#include <stdbool.h>
#include <sys/ioctl.h>

/* Whether request is one of those (ioctl_ficlonerange(2), ioctl_fideduperange(2); linux/fs.h). */
static inline bool storage_may_wait(unsigned long request)
{
	switch (request) {
	case FIFREEZE:
	case FITHAW:
	case FITRIM:
	case FICLONE:
	case FICLONERANGE:
	case FIDEDUPERANGE:
	case BLKFLSBUF:
	case BLKRRPART:
	case BLKDISCARD:
	case BLKSECDISCARD:
	case BLKZEROOUT:
		return true;
	default:
		return false;
	}
}

/* ioctl with such a request. */
int storage_request(int fd, unsigned long request, unsigned long arg);

#endif
