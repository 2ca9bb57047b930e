/*
 * tests/kernel/callees.c - what KiCallUserMode leaves as it was: what C must
 * find again (callees.asm), and where the next entry from ring 3 begins.
 */
#include "selftest.h"

#include <arch/trap.h>

NTSTATUS call_user_mode(void **output, ULONG *length,
                        const KTRAP_FRAME *frame);
NTSTATUS __wrap_KiCallUserMode(void **output, ULONG *length,
                               const KTRAP_FRAME *frame);

NTSTATUS __wrap_KiCallUserMode(void **output, ULONG *length,
                               const KTRAP_FRAME *frame)
{
    KTHREAD *thread = KeGetCurrentThread();
    const void *stack = thread->InitialStack;
    const KTRAP_FRAME *outer = thread->TrapFrame;
    UCHAR nested = thread->CallbackNestingLevel;
    NTSTATUS status = call_user_mode(output, length, frame);

    if (thread->InitialStack != stack || thread->TrapFrame != outer ||
        thread->CallbackNestingLevel != nested || !entry_stacks_agree())
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0);
    return status;
}
