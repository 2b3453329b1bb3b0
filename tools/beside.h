/* beside.h: what belongs to this command, found from where the command itself lies, so that a build tree or an installation may be moved. */
#ifndef TOOLS_BESIDE_H
#define TOOLS_BESIDE_H

/* This command's own name, for the caller to free; NULL: no memory. */
char *own_path(void);

/* The first of the places, a list that ends with NULL, that is there and may be read: its real name, for the caller to free; NULL: none.
 * A place that is not absolute starts from the folder of the command. */
char *find_beside(const char *const *places);

#endif
