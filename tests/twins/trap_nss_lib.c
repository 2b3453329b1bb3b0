/* The library of trap_nss, found by libc under the name of libnss_twin.so.2: a source of accounts that takes its time, as one that asks a server. */
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((visibility("default"))) enum nss_status _nss_twin_getpwnam_r(const char *name, struct passwd *entry,
									    char *buffer, size_t room, int *error);

enum nss_status _nss_twin_getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t room, int *error)
{
	usleep(5000);
	if (snprintf(buffer, room, "%s", name) >= (int)room) {
		*error = ERANGE;
		return NSS_STATUS_TRYAGAIN;
	}
	*entry = (struct passwd){.pw_name = buffer,
				 .pw_passwd = buffer,
				 .pw_gecos = buffer,
				 .pw_dir = buffer,
				 .pw_shell = buffer,
				 .pw_uid = 4321};
	return NSS_STATUS_SUCCESS;
}
