/* The library of names_lookup: a resolver that answers when it is told to, and not before. */
#include <netdb.h>
#include <sys/syscall.h>

#include "twin.h"

__attribute__((visibility("default"))) extern int names_gate[2];
__attribute__((visibility("default"))) int names_gate[2];

/* Past libc: nobody but a real thread gets on meanwhile. */
static void wait_for_leave(void)
{
	char byte;
	check(syscall(SYS_read, names_gate[0], &byte, 1) == 1);
}

__attribute__((visibility("default"))) int getaddrinfo(const char *host, const char *service,
						       const struct addrinfo *hints, struct addrinfo **list)
{
	static struct addrinfo answer = {.ai_family = AF_INET6, .ai_protocol = 42};
	if (strcmp(host, "127.0.0.1") != 0)
		wait_for_leave();
	if (strcmp(host, "broken.example") == 0) {
		errno = ENOTDIR;
		return EAI_SYSTEM;
	}
	*list = &answer;
	return strcmp(host, "nobody.example") == 0 ? EAI_NONAME : 0;
}

__attribute__((visibility("default"))) int getnameinfo(const struct sockaddr *address, socklen_t size, char *host,
						       socklen_t host_size, char *service, socklen_t service_size,
						       int flags)
{
	if (!(flags & NI_NUMERICHOST))
		wait_for_leave();
	snprintf(host, host_size, "%s.example", flags & NI_NUMERICHOST ? "number" : "name");
	return 0;
}
