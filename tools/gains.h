/* gains.h: is there anything to gain for a program? */
#ifndef TOOLS_GAINS_H
#define TOOLS_GAINS_H

/* Says it, in one line on standard error, when the program, as far as its files show, never has two flows of control to switch between.
 * `binary` is the ELF file at the end of its #! lines. */
void say_what_it_gains(const char *program, const char *binary);

#endif
