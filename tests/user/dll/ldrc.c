/*
 * ldrc.c - prefers ldra's base, so it is relocated: its table of pointers
 * tells whether that was done right.
 */
#include "ldr.h"

static int first, second;
static int *const table[] = { &first, &second };
static int *written[] = { &second, &first };

ULONG c_check(void);
ULONG c_check(void)
{
    int *volatile const *read_only = table, *volatile *data = written;

    return read_only[0] == &first && read_only[1] == &second &&
           data[0] == &second && data[1] == &first;
}

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reason;
    (void)reserved;
    return c_check();
}
