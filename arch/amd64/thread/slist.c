/*
 * thread/slist.c - the pop of a list without locks, which may begin again.
 *
 * RtlInterlockedPopEntrySList of both ntdlls (ntdll-stub/.../slist.asm):
 *
 *      Resume   read the list's header: the first entry, how deep, a number
 *      Fault    read that entry's Next
 *      End      make Next the first, if the header is still what was read
 *
 * At Fault the entry may be another thread's already, which has popped it and
 * given its memory back.  Nobody is wrong then: the header has changed, and
 * the pop goes on at Resume.  A header that is itself wrong gives the same
 * address for ever, so after as many faults there as SLIST_FAULTS, each with
 * none elsewhere in between, ring 3 hears of it.
 *
 * Behind Fault, what was read may be old when other threads or an APC have
 * run, and the number that would tell is as wide as the header leaves room
 * for: 16 bits in 32-bit code.  So whoever is interrupted between Resume and
 * End begins again, too.  Not where a debugger steps: an exception shows the
 * true rip, and NtContinue leads to the one it is given, or nobody could step
 * over a pop.
 *
 * KTHREAD.SListFaultAddress and SListFaultCount are the current thread's own.
 */
#include <arch/thread.h>
#include <arch/trap.h>
#include <ps.h>
#include <x86/registers.h>

/* NT: bounds them, too; by how many is not public. */
#define SLIST_FAULTS 4096

struct pop {
    ULONG_PTR resume, fault, end;
};

ULONG_PTR KeUserPopEntrySListResume;
ULONG_PTR KeUserPopEntrySListFault;
ULONG_PTR KeUserPopEntrySListEnd;
ULONG ke_user_pop_entry_slist_resume32;
ULONG ke_user_pop_entry_slist_fault32;
ULONG ke_user_pop_entry_slist_end32;

/* The thread's own process: it may be attached to another one. */
static BOOLEAN is_thread32(void)
{
    const EPROCESS *process = CONTAINING_RECORD(KeGetCurrentThread()->Process,
                                                EPROCESS, Pcb);

    return process->WoW64Process != NULL;
}

/* Of the ntdll whose code that is; all 0 where it can be neither's. */
static struct pop pop_of(const KTRAP_FRAME *frame)
{
    BOOLEAN code32 = ki_is_code32(frame);

    if (!(frame->SegCs & 1) || code32 != is_thread32())
        return (struct pop){ 0 };
    if (code32)
        return (struct pop){ ke_user_pop_entry_slist_resume32,
                             ke_user_pop_entry_slist_fault32,
                             ke_user_pop_entry_slist_end32 };
    return (struct pop){ KeUserPopEntrySListResume, KeUserPopEntrySListFault,
                         KeUserPopEntrySListEnd };
}

/* RF was for the instruction that is left. */
static void begin_again(KTRAP_FRAME *frame, const struct pop *pop)
{
    frame->Rip = pop->resume;
    frame->EFlags &= ~EFLAGS_RF;
}

void KiCheckForSListAddress(KTRAP_FRAME *frame)
{
    const struct pop pop = pop_of(frame);

    if (frame->Rip > pop.resume && frame->Rip <= pop.end)
        begin_again(frame, &pop);
}

/* One more fault of this thread's pops, at that address.  FALSE: too many. */
static BOOLEAN count_fault(void *address)
{
    KTHREAD *thread = KeGetCurrentThread();

    if (thread->SListFaultAddress != address) {
        thread->SListFaultAddress = address;
        thread->SListFaultCount = 0;
    }
    if (++thread->SListFaultCount <= SLIST_FAULTS)
        return TRUE;
    thread->SListFaultCount = 0;
    return FALSE;
}

BOOLEAN ki_resume_pop(KTRAP_FRAME *frame, NTSTATUS status)
{
    const struct pop pop = pop_of(frame);

    if (status != STATUS_ACCESS_VIOLATION || frame->Rip != pop.fault ||
        ki_fault_access(frame) != EXCEPTION_READ_FAULT ||
        !count_fault((void *)frame->FaultAddress))
        return FALSE;
    begin_again(frame, &pop);
    return TRUE;
}
