/*
 * ke/doors.c - which instruction ring 3 takes to come here.
 *
 * The shared page tells it.  64-bit stubs look at one byte: SYSCALL, or INT
 * 2Eh when it is 1 (boot option doors).  32-bit stubs call through a pointer
 * to one of two routines of their ntdll, which the kernel chooses as XP did:
 * SYSENTER where the processor has it, INT 2Eh elsewhere (option xpdoor).
 */
#include "ki.h"

#include <arch/entry.h>
#include <init.h>
#include <kd.h>
#include <nt/wow64.h>

void ki_choose_door(void)
{
    SharedUserData->SystemCall = strcmp(init_option("doors"), "int2e") == 0;
}

static BOOLEAN choose_sysenter(void)
{
    const char *option = init_option("xpdoor");

    if (strcmp(option, "sysenter") == 0 && !KiFastSystemCallIsIA32)
        DbgPrintEx(KD_KE_ID, DPFLTR_WARNING_LEVEL,
                   "OPT   xpdoor=sysenter: this processor has no SYSENTER in "
                   "long mode; int2e\n");
    return KiFastSystemCallIsIA32 && strcmp(option, "int2e") != 0;
}

void ke_set_system_call32(ULONG fast, ULONG fast_return, ULONG int2e)
{
    struct kuser_shared_data_xp *shared = ke_shared_data_xp;
    BOOLEAN sysenter = choose_sysenter();

    shared->SystemCall = sysenter ? fast : int2e;
    shared->SystemCallReturn = fast_return;
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "XP    SystemCall %08x %s  SystemCallReturn %08x\n",
               shared->SystemCall,
               sysenter ? "KiFastSystemCall" : "KiIntSystemCall",
               shared->SystemCallReturn);
}
