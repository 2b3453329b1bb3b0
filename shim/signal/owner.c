/* Descriptors that signal one thread: fcntl with F_SETOWN_EX and F_OWNER_TID. The signal says of which descriptor it comes if it was chosen by
 * F_SETSIG, and then it is for that thread alone (target.c); libc's and the kernel's own SIGIO says nothing, and whoever lets it through gets it. */
#include <fcntl.h>

#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"

int patch_owner_set(int fd, const struct f_owner_ex *owner)
{
	pthread_t target = patch_started && owner && owner->type == F_OWNER_TID ? patch_target_named(owner->pid) : 0;
	struct f_owner_ex hub = {.type = F_OWNER_TID, .pid = target ? patch_hub_tid() : 0};
	int r = real.fcntl(fd, F_SETOWN_EX, target ? (unsigned long)&hub : (unsigned long)owner);
	if (r < 0)
		return r;
	patch_owner_forget(fd);
	if (target == 0 || patch_target_keep(PATCH_BY_FD, fd, target))
		return r;
	real.fcntl(fd, F_SETOWN, 0);
	errno = ENOMEM;
	return -1;
}

void patch_owner_forget(int fd)
{
	if (patch_started)
		patch_target_forget(PATCH_BY_FD, fd);
}

int patch_owner_number(int fd, int number)
{
	pthread_t target;
	if (!patch_started || number != patch_hub_tid() || !patch_target_find(PATCH_BY_FD, fd, &target))
		return number;
	return target ? patch_tid_of(target) : 0;
}

int patch_owner_get(int fd, struct f_owner_ex *owner)
{
	int r = real.fcntl(fd, F_GETOWN_EX, (unsigned long)owner);
	if (r == 0 && owner->type == F_OWNER_TID)
		owner->pid = patch_owner_number(fd, owner->pid);
	return r;
}
