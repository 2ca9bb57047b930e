/*
 * init.h - boot options, "key=value" words of the loader's command line.
 */
#pragma once

#include <nt/ntdef.h>

/*
 * Splits the loader's line; shows every option, and names those nobody knows.
 * What stands behind " -- " is the program's command line.
 */
void init_parse_options(const char *line);

/* Value of a known option, or its default. */
const char *init_option(const char *key);
BOOLEAN init_option_on(const char *key);

const char *init_command_line(void);
