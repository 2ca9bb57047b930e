/*
 * ldrthread.c - what the loader does when a thread begins and ends, and when
 * the process ends.
 *
 * DLLs hear of threads by DLL_THREAD_ATTACH and DLL_THREAD_DETACH. The first
 * thread's attach and the last one's detach are the process's.
 */
#include "ldrp.h"

static volatile HANDLE shutdown_thread;         /* NULL: it does not end yet */

/* From LdrInitializeThunk. STATUS_NO_MEMORY: the thread cannot begin. */
NTSTATUS ldr_start_thread(void)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (ldr_skips_loader())
        return STATUS_SUCCESS;
    RtlEnterCriticalSection(&ldr_lock);
    if (!shutdown_thread) {
        status = ldr_add_tls_thread();
        if (NT_SUCCESS(status) && !ldr_skips_attach())
            ldr_tell_attach();
    }
    RtlLeaveCriticalSection(&ldr_lock);
    return status;
}

NTSTATUS NTAPI LdrShutdownThread(void)
{
    if (ldr_skips_loader())
        return STATUS_SUCCESS;
    RtlEnterCriticalSection(&ldr_lock);
    if (!shutdown_thread) {
        if (!ldr_skips_attach())
            ldr_tell_detach();
        ldr_remove_tls_thread();
    }
    RtlLeaveCriticalSection(&ldr_lock);
    return STATUS_SUCCESS;
}

/* The caller is the last thread, and stays it. */
NTSTATUS NTAPI LdrShutdownProcess(void)
{
    RtlEnterCriticalSection(&ldr_lock);
    if (!shutdown_thread && ldr_data.Initialized) {
        shutdown_thread = NtCurrentTeb()->ClientId.UniqueThread;
        ldr_note_shutdown(&ldr_data);
        ldr_stop_all();
    }
    RtlLeaveCriticalSection(&ldr_lock);
    return STATUS_SUCCESS;
}

BOOLEAN NTAPI RtlDllShutdownInProgress(void)
{
    return shutdown_thread != NULL;
}
