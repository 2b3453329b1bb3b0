/* Names to addresses. getaddrinfo asks files and servers with libc's own blocking calls, so it runs in the offload, and may be left there. */
#include "lib/io/resolve.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/sys.h"
#include "lib/io/address.h"
#include "lib/io/offload.h"

struct question {
	char host[GEV__HOST_MAX];
	char service[GEV__SERVICE_MAX];
	struct addrinfo hints;
};

struct answer {
	struct addrinfo *list;
	int error;
};

static int meaning(int eai)
{
	switch (eai) {
	case 0:
		return 0;
	case EAI_NONAME:
	case EAI_SERVICE:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return -ENOENT;
	case EAI_AGAIN:
		return -EAGAIN;
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_SYSTEM:
		return errno ? -errno : -EIO;
	default:
		return -EIO;
	}
}

static void *ask(void *arg)
{
	const struct question *q = arg;
	struct answer *a = malloc(sizeof *a);
	if (a == NULL)
		return NULL;
	a->list = NULL;
	errno = 0;
	a->error = meaning(gev__sys.getaddrinfo(q->host[0] ? q->host : NULL, q->service, &q->hints, &a->list));
	return a;
}

static void forget(void *arg, void *value)
{
	struct answer *a = value;
	if (a && a->list)
		gev__sys.freeaddrinfo(a->list);
	free(a);
	free(arg);
}

int gev__resolve(const char *text, bool any, int64_t deadline, struct addrinfo **out)
{
	bool numeric;
	struct question *q = malloc(sizeof *q);
	if (q == NULL)
		return -ENOMEM;
	int r = gev__address_split(text, any, q->host, q->service, &numeric);
	if (r < 0) {
		free(q);
		return r;
	}
	q->hints = (struct addrinfo){
		.ai_socktype = SOCK_STREAM,
		.ai_family = q->host[0] ? AF_UNSPEC : AF_INET,
		.ai_flags = (any ? AI_PASSIVE : 0) | (numeric ? AI_NUMERICHOST : 0),
	};
	void *value = NULL;
	r = gev__offload_apart(ask, q, q->host, forget, deadline, &value);
	if (r < 0)
		return r;
	struct answer *a = value;
	if (a == NULL)
		return -ENOMEM;
	r = a->error;
	*out = a->list;
	free(a);
	return r;
}

void gev__resolved_free(struct addrinfo *list)
{
	gev__sys.freeaddrinfo(list);
}
