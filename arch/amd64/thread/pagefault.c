/*
 * thread/pagefault.c - a page fault, told to Mm.
 *
 * STATUS_SUCCESS from Mm means: do the access again.  Should that ever be
 * wrong, the same fault comes back for ever and nothing says why; so faults
 * that change nothing are counted.  A program that touches a page, gives it
 * back by a call or has it taken by a handler, and touches it again, has done
 * something in between.
 */
#include <bug.h>
#include <arch/processor.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include <kd.h>
#include <mm.h>
#include <ps.h>
#include <x86/registers.h>

/*
 * More than a program meets: each time somebody else would have to undo what
 * was done before the instruction is, and fault nowhere himself.
 */
#define FAULT_LOOP 65536

/* Each processor's last fault, and how often it has come in a row. */
static struct fault {
    const KTHREAD *thread;
    ULONGLONG rip, address, rsp, rcx, rsi, rdi;
    ULONG calls, exceptions;                    /* of anybody, until then */
    ULONGLONG arrivals;
} last_fault[MAXIMUM_PROCESSORS];
static ULONG repeated[MAXIMUM_PROCESSORS];

ULONG_PTR ki_fault_access(const KTRAP_FRAME *frame)
{
    if (frame->ErrorCode & PAGE_FAULT_EXECUTE)
        return EXCEPTION_EXECUTE_FAULT;
    return frame->ErrorCode & PAGE_FAULT_WRITE ? EXCEPTION_WRITE_FAULT
                                               : EXCEPTION_READ_FAULT;
}

/*
 * A page that is there and cannot be read is not Mm's affair: SMAP forbids
 * it, as QEMU does to an IRETQ of ring 3.
 */
NTSTATUS ki_page_fault(const KTRAP_FRAME *frame)
{
    enum mm_access access = MM_ACCESS_READ;

    if (frame->ErrorCode & PAGE_FAULT_EXECUTE)
        access = MM_ACCESS_EXECUTE;
    else if (frame->ErrorCode & PAGE_FAULT_WRITE)
        access = MM_ACCESS_WRITE;
    else if (frame->ErrorCode & PAGE_FAULT_PRESENT)
        return STATUS_ACCESS_VIOLATION;
    return mm_access_fault(frame->FaultAddress, access);
}

#define SUM(field) ke_sum_counts(offsetof(KPRCB, field))

/* Pages that came: one that comes each time is taken away each time. */
static ULONGLONG arrivals(void)
{
    return (ULONGLONG)SUM(MmTransitionCount) + SUM(MmDemandZeroCount) +
           SUM(MmPageReadCount);
}

BOOLEAN ki_is_fault_loop(const KTRAP_FRAME *frame)
{
    ULONG processor = KeGetCurrentPrcb()->Number;
    const struct fault fault = {
        KeGetCurrentThread(), frame->Rip, frame->FaultAddress, frame->Rsp,
        frame->Rcx, frame->Rsi, frame->Rdi,
        SUM(KeSystemCalls), SUM(KeExceptionDispatchCount), arrivals(),
    };

    if (memcmp(&fault, &last_fault[processor], sizeof fault) != 0) {
        last_fault[processor] = fault;
        repeated[processor] = 0;
    }
    if (++repeated[processor] < FAULT_LOOP || BUG(fault_loop_unbounded))
        return FALSE;
    repeated[processor] = 0;
    DbgPrint("\n%s: fault loop at %016llx on %016llx: %u times, and nothing "
             "has moved\n", PsGetCurrentProcess()->ImageFileName, frame->Rip,
             frame->FaultAddress, FAULT_LOOP);
    return TRUE;
}
