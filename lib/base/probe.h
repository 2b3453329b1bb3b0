/* probe.h: static probes for perf, bpftrace and systemtap: provider `gev`. Each is one nop in the code and a note beside it (sys/sdt.h). */
#ifndef GEV_BASE_PROBE_H
#define GEV_BASE_PROBE_H

#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define gev__probe(name, arg) DTRACE_PROBE1(gev, name, arg)
#else
#define gev__probe(name, arg) ((void)(arg))
#endif

#endif
