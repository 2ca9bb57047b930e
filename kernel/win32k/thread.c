/*
 * win32k/thread.c - GUI threads.
 *
 * A thread becomes one by its first call into the shadow table: room 3 finds
 * the number beyond the only table the thread can see, Ps asks win32k for its
 * part of the thread, and the call is made again.  From then on
 * KTHREAD.Win32Thread leads to that part.
 */
#include "w32p.h"
#include <mm.h>
#include <nt/ntapi.h>

#define W32P_THREAD_TAG 0x74687355      /* "Usht" */

/* NT: W32THREAD begins with the same pointer. */
struct w32p_thread {
    ETHREAD *thread;
};

NTSTATUS win32k_thread_callout(ETHREAD *thread)
{
    struct w32p_thread *own;

    if (thread->Tcb.Win32Thread != NULL)
        return STATUS_SUCCESS;
    own = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*own),
                          W32P_THREAD_TAG);
    if (own == NULL)
        return STATUS_NO_MEMORY;
    own->thread = thread;
    thread->Tcb.Win32Thread = own;
    return STATUS_SUCCESS;
}

void win32k_thread_exit(ETHREAD *thread)
{
    struct w32p_thread *own = thread->Tcb.Win32Thread;

    if (own == NULL)
        return;
    ASSERT(own->thread == thread);
    thread->Tcb.Win32Thread = NULL;
    ExFreePoolWithTag(own, W32P_THREAD_TAG);
}

/*
 * user32 asks here for the focus window, the active window, the window that
 * has captured the mouse, whether input is waiting, and the like: classes 0
 * to 11h.  There are no windows and no input queues, so the truthful answer
 * to each is 0, as it is for numbers that are no class.
 */
ULONG_PTR NtUserGetThreadState(ULONG ThreadState)
{
    ASSERT(KeGetCurrentThread()->Win32Thread != NULL);
    (void)ThreadState;
    return 0;
}
