/* search.h: which file a program's name means. */
#ifndef TOOLS_ELF_SEARCH_H
#define TOOLS_ELF_SEARCH_H

/* The file that execvp(3) would run, for the caller to free; NULL and errno when there is none: EACCES when one was there that
 * may not be executed. A name with a slash is not searched for. */
char *search(const char *program);

#endif
