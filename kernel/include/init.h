/*
 * init.h - boot options, "key=value" words of the loader's command line.
 */
#pragma once

#include <nt/ntdef.h>

/*
 * Splits the loader's line, and names options that nobody knows.  What stands
 * behind " -- " is the program's command line.
 */
void init_read_options(const char *line);
void init_show_options(void);

/* Value of a known option, or its default. */
const char *init_option(const char *key);
BOOLEAN init_option_on(const char *key);

const char *init_command_line(void);
