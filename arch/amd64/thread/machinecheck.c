/*
 * thread/machinecheck.c - #MC: the processor has found a fault in itself.
 */
#include <arch/thread.h>
#include <arch/trap.h>

BOOLEAN ki_machine_check(KTRAP_FRAME *frame)
{
    KeGetCurrentThread()->TrapFrame = frame;
    KeBugCheckEx(MACHINE_CHECK_EXCEPTION, 0, (ULONG_PTR)frame, 0, frame->Rip);
}
