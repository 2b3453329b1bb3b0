/* signal_jump, with the checked longjmp of _FORTIFY_SOURCE. */
#include "signal_jump.c"
