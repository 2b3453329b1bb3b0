/* exec.h: another program is about to begin. */
#ifndef SHIM_LIBC_EXEC_H
#define SHIM_LIBC_EXEC_H

/* libc itself starts the shell: what the shell inherits is given back, if need be. errno is kept. */
void exec_shell_begins(void);

#endif
