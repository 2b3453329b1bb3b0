/* rawcalls-none.c: a gev built without capstone, which cannot look. */
#include "tools/rawcalls.h"

bool rawcalls_find(const struct object *o, void (*found)(const struct rawcall *call, void *arg), void *arg)
{
	(void)o;
	(void)found;
	(void)arg;
	return false;
}
