/*
 * ps/gui.c - a thread's first call of win32k.
 *
 * Room 3 comes here when a number of the shadow table is beyond the table the
 * thread sees.  Afterwards the thread sees both.
 */
#include "psp.h"

#include <win32k.h>

#define STATUS_ALREADY_WIN32 ((NTSTATUS)0x4000001B)

static NTSTATUS PsConvertToGuiThread(void)
{
    ETHREAD *thread = PsGetCurrentThread();
    NTSTATUS status;

    if (thread->Tcb.Win32Thread)
        return STATUS_ALREADY_WIN32;
    status = win32k_thread_callout(thread);
    if (NT_SUCCESS(status))
        thread->Tcb.ThreadFlags |= THREAD_FLAGS_GUI_THREAD;
    return status;
}

NTSTATUS KiConvertToGuiThread(void)
{
    return PsConvertToGuiThread();
}
