/*
 * ldrd.c - loaded and unloaded while the program runs.
 */
#include "ldr.h"

ULONG d_value(void);
ULONG d_value(void)
{
    return a_value() + a_forward() + a_fifth();
}

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    b_log(reason == DLL_PROCESS_ATTACH ? 'D' : 'd');
    return TRUE;
}
