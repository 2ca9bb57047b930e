/*
 * ldrq.c - a DLL that does not want to hear of threads, and says so.
 */
#include "ldrq.h"

static ULONG calls;

ULONG q_calls(void)
{
    return calls;
}

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved)
{
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH)
        return LdrDisableThreadCalloutsForDll(base) == STATUS_SUCCESS;
    calls++;
    return TRUE;
}
