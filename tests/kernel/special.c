/*
 * tests/kernel/special.c - what the door answers threads whose services are
 * somebody else's (arch/amd64/thread/ums.c).  Ring 3 can set one of the bits
 * only (tests/user/ums.c).
 */
#include "selftest.h"

#include <arch/processor.h>
#include <arch/thread.h>
#include <x86/registers.h>

/* As the door asks: interrupts off.  gs_base: the user's meanwhile. */
static NTSTATUS ask(UCHAR bits, ULONG_PTR gs_base)
{
    KTHREAD *thread = KeGetCurrentThread();
    ULONG_PTR base;
    NTSTATUS status;

    arch_disable_interrupts();
    base = arch_read_msr(MSR_GS_SWAP);
    arch_write_msr(MSR_GS_SWAP, gs_base);
    __sync_fetch_and_or(&thread->Header.DebugActive, bits);
    status = ki_begin_special_service(thread->TrapFrame);
    __sync_fetch_and_and(&thread->Header.DebugActive, (UCHAR)~bits);
    arch_disable_interrupts();
    arch_write_msr(MSR_GS_SWAP, base);
    arch_enable_interrupts();
    return status;
}

BOOLEAN test_special_service(void)
{
    KTHREAD *thread = KeGetCurrentThread();
    ULONG_PTR teb = (ULONG_PTR)thread->Teb;
    LONG flags = thread->MiscFlags;
    BOOLEAN good =
        ask(0, teb) == STATUS_SUCCESS &&
        ask(DEBUG_ACTIVE_MINIMAL, teb) == STATUS_INVALID_SYSTEM_SERVICE &&
        ask(DEBUG_ACTIVE_ALT_SYSCALL, teb) == STATUS_INVALID_SYSTEM_SERVICE &&
        ask(DEBUG_ACTIVE_UMS_PRIMARY, teb) == STATUS_SUCCESS &&
        ask(DEBUG_ACTIVE_UMS_PRIMARY, 0) == STATUS_NOT_SUPPORTED &&
        ask(DEBUG_ACTIVE_UMS_PRIMARY, ~0ULL) == STATUS_NOT_SUPPORTED &&
        ask(DEBUG_ACTIVE_UMS_PRIMARY | DEBUG_ACTIVE_UMS_SCHEDULED, teb) ==
            STATUS_SUCCESS && thread->MiscFlags == flags &&
        thread->CombinedApcDisable == 0 &&
        ask(DEBUG_ACTIVE_UMS_SCHEDULED, 0) == STATUS_SUCCESS &&
        thread->MiscFlags == (flags | MISC_FLAGS_UMS_PERFORMING_SYSCALL);

    thread->MiscFlags = flags;
    return good;
}
