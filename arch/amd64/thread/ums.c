/*
 * thread/ums.c - calls of threads whose services are somebody else's: the
 * bits of Header.DebugActive above debug registers and instrumentation.
 *
 * In Windows 10 three kinds of thread leave the way of a call at its
 * beginning.  A pico process's (Minimal) and one with a handler of its own
 * (AltSyscall) have their services answered by a driver.  A scheduler of
 * user-mode threads (UmsPrimary) lends its processor to UMS threads: they run
 * with their own TEB, so a call that comes with another gs base than the
 * thread's is one of theirs, and has to be moved to the UMS thread's kernel
 * stack first, the directed switch.
 *
 * Here there are neither drivers nor UMS threads.  The calls are told apart
 * as Windows does it, and those that somebody else would serve are answered
 * with a status.  NtSetInformationThread makes a UmsPrimary; nothing sets the
 * other bits.
 */
#include <arch/cpu.h>
#include <arch/thread.h>
#include <ke.h>
#include <mm.h>
#include <x86/registers.h>

/* The user's gs base: swapgs has put it there.  NT: clamped as well. */
static ULONG_PTR user_gs_base(void)
{
    ULONG_PTR base = arch_read_msr(MSR_GS_SWAP);

    return base < MmUserProbeAddress ? base : MmUserProbeAddress;
}

/*
 * From the flag and the region up to the place where Windows looks for the
 * UMS thread (KiUmsCallEntry), interrupts on from there.  There is none.
 */
static NTSTATUS directed_switch(KTHREAD *thread)
{
    __sync_fetch_and_or(&thread->MiscFlags, MISC_FLAGS_UMS_DIRECTED_SWITCH);
    KeEnterGuardedRegion();
    arch_enable_interrupts();
    KeLeaveGuardedRegion();
    __sync_fetch_and_and(&thread->MiscFlags, ~MISC_FLAGS_UMS_DIRECTED_SWITCH);
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS ki_begin_special_service(KTRAP_FRAME *frame)
{
    KTHREAD *thread = KeGetCurrentThread();
    UCHAR active = thread->Header.DebugActive;

    thread->TrapFrame = frame;
    if (active & (DEBUG_ACTIVE_MINIMAL | DEBUG_ACTIVE_ALT_SYSCALL))
        return STATUS_INVALID_SYSTEM_SERVICE;
    if (active & DEBUG_ACTIVE_UMS_PRIMARY) {
        if (user_gs_base() != (ULONG_PTR)thread->Teb)
            return directed_switch(thread);
    } else if (active & DEBUG_ACTIVE_UMS_SCHEDULED) {
        __sync_fetch_and_or(&thread->MiscFlags,
                            MISC_FLAGS_UMS_PERFORMING_SYSCALL);
    }
    return STATUS_SUCCESS;
}
