/* control.h: the control socket: one question a connection, answered by the watcher's thread. docs/control.md is its description. */
#ifndef GEV_WATCH_CONTROL_H
#define GEV_WATCH_CONTROL_H

/* Remembers where it may lie: the environment is the program's once main runs. */
void gev__control_prepare(void);

/* Makes it. The descriptor to listen on, or -1 and one message. */
int gev__control_open(void);

/* Takes one connection and answers it. */
void gev__control_serve(int listener);

/* Takes its name away, if this process made it. */
void gev__control_remove(void);

#endif
