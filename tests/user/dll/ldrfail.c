/*
 * ldrfail.c - a DLL that refuses to be initialized.
 */
#include "ldr.h"

ULONG fail_value(void);
ULONG fail_value(void)
{
    return 0xF;
}

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    b_log(reason == DLL_PROCESS_ATTACH ? 'X' : 'x');
    return FALSE;
}
