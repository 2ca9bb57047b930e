/*
 * ldrf.c - one half of a ring: needs ldre, which needs it.
 */
#include "ldr.h"

ULONG f_value(void)
{
    return 0xF;
}

ULONG f_other(void);
ULONG f_other(void)
{
    return e_value();
}

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    b_log(reason == DLL_PROCESS_ATTACH ? 'F' : 'f');
    return TRUE;
}
