/*
 * thread/instrument.c - the instrumentation callback: a routine of ring 3
 * that gets every return of the kernel to 64-bit code of its process.
 *
 *   KPROCESS.InstrumentationCallback   the routine (ke/thread.c sets it)
 *   Header.DebugActive                 bit 1, in every thread of the process
 *
 * A service's return is room 5's (entry/exit.asm), where the bit has led to
 * a frame whose word Dr7 is not 0.  Where the kernel starts ring 3 somewhere
 * on its own account it calls the routine below, which does the same: r10 =
 * where ring 3 would have gone on, rip = the callback.  Everything else is as
 * it would have been; the callback jumps to r10 when it is done.
 *
 * A return that only resumes what was interrupted is not reported, nor is
 * NtContinue's.
 */
#include <arch/descriptors.h>
#include <arch/thread.h>

void KiSetupForInstrumentationReturn(KTRAP_FRAME *frame)
{
    void *callback =
        KeGetCurrentThread()->ApcState.Process->InstrumentationCallback;

    if (!callback || frame->SegCs != (KGDT64_R3_CODE | RPL_MASK))
        return;
    frame->R10 = frame->Rip;
    frame->Rip = (ULONG_PTR)callback;
}
