/* verify.h: the hub's invariants, held against the whole of its structures at every turn. Only in builds with -Dchecks=true: it walks all of them. */
#ifndef GEV_CORE_VERIFY_H
#define GEV_CORE_VERIFY_H

struct gev__hub;

/* Ends the process at the first that does not hold. In the hub's own flow, before it lets anybody run. */
void gev__hub_verify(const struct gev__hub *h);

static inline void gev__verify(const struct gev__hub *h)
{
#ifdef GEV_CHECKS
	gev__hub_verify(h);
#endif
	(void)h;
}

#endif
