/*
 * ldre.c - one half of a ring: needs ldrf, which needs it.
 */
#include "ldr.h"

ULONG e_value(void)
{
    return 0xE;
}

ULONG e_other(void);
ULONG e_other(void)
{
    return f_value();
}

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    b_log(reason == DLL_PROCESS_ATTACH ? 'E' : 'e');
    return TRUE;
}
