/* libdw.h: libdw of elfutils, opened when a watcher starts. */
#ifndef GEV_WATCH_LIBDW_H
#define GEV_WATCH_LIBDW_H

#include <stdbool.h>

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

/* What is used of it. */
#define GEV__DW_FUNCTIONS(F)                                                                                           \
	F(dwfl_begin)                                                                                                  \
	F(dwfl_report_begin)                                                                                           \
	F(dwfl_report_module)                                                                                          \
	F(dwfl_report_end)                                                                                             \
	F(dwfl_linux_proc_maps_report)                                                                                 \
	F(dwfl_linux_proc_find_elf)                                                                                    \
	F(dwfl_build_id_find_debuginfo)                                                                                \
	F(dwfl_attach_state)                                                                                           \
	F(dwfl_getthread_frames)                                                                                       \
	F(dwfl_frame_pc)                                                                                               \
	F(dwfl_thread_state_registers)                                                                                 \
	F(dwfl_thread_state_register_pc)                                                                               \
	F(dwfl_addrmodule)                                                                                             \
	F(dwfl_module_addrinfo)                                                                                        \
	F(dwfl_module_info)                                                                                            \
	F(dwfl_module_getsrc)                                                                                          \
	F(dwfl_module_nextcu)                                                                                          \
	F(dwfl_lineinfo)                                                                                               \
	F(dwarf_getsrc_die)                                                                                            \
	F(dwarf_haspc)                                                                                                 \
	F(dwarf_lineno)                                                                                                \
	F(dwarf_linesrc)

struct gev__dw {
	bool usable; /* else nothing of the rest is there */
#define F(name) __typeof__(name) *name;
	GEV__DW_FUNCTIONS(F)
#undef F
};
extern struct gev__dw gev__dw;

/* Again is harmless. To be called before other threads run, by whoever may open libraries. */
void gev__libdw_open(void);

/* free, for what a library of the program's has allocated. */
void gev__program_free(void *p);

#endif
