/*
 * mm/space.c - who may change an address space, and its end.
 *
 * EPROCESS.AddressCreationLock is held by whoever looks at or changes a
 * process's regions, its user page tables or their entries: services, page
 * faults, the end of the process.  Others run meanwhile in the same space, so
 * what a service has found out before it took the lock is only a guess.
 *
 * Who only copies another process's user memory takes no lock but the
 * process's RundownProtect, and the end waits for it.
 *
 * Who holds it does not touch user memory: the fault would want the lock.  A
 * copy says so at once (mi_owns_space), whether it faults or not.
 */
#include "vad.h"

#include <nt/ntapi.h>

static void lock(EPROCESS *process)
{
    ke_acquire_exclusive(&process->AddressCreationLock);
    PsGetCurrentThread()->SameThreadApcFlags |=
        PS_OWNS_PROCESS_ADDRESS_SPACE_EXCLUSIVE;
}

static void unlock(EPROCESS *process)
{
    PsGetCurrentThread()->SameThreadApcFlags &=
        ~PS_OWNS_PROCESS_ADDRESS_SPACE_EXCLUSIVE;
    ke_release_exclusive(&process->AddressCreationLock);
}

BOOLEAN mi_owns_space(void)
{
    return (PsGetCurrentThread()->SameThreadApcFlags &
            PS_OWNS_PROCESS_ADDRESS_SPACE_EXCLUSIVE) != 0;
}

void mi_lock_current_space(void)
{
    lock(PsGetCurrentProcess());
}

void mi_unlock_current_space(void)
{
    unlock(PsGetCurrentProcess());
}

/* The kernel's own processes have no user half that anybody needs. */
NTSTATUS mi_enter_space(EPROCESS *process, struct mi_visit *visit)
{
    visit->process = process;
    visit->attached = process != PsGetCurrentProcess();
    if (visit->attached)
        KeStackAttachProcess(&process->Pcb, &visit->apc_state);
    lock(process);
    if (process->HighestUserAddress &&
        !(process->Flags & PS_PROCESS_FLAGS_VM_DELETED))
        return STATUS_SUCCESS;
    mi_leave_space(visit);
    return STATUS_PROCESS_IS_TERMINATING;
}

void mi_leave_space(struct mi_visit *visit)
{
    unlock(visit->process);
    if (visit->attached)
        KeUnstackDetachProcess(&visit->apc_state);
}

void mi_delete_region(EPROCESS *process, struct mi_vad *vad)
{
    struct mi_section *section = vad->section;

    mi_decommit(process, vad, mi_vad_start(vad), mi_vad_end(vad));
    mi_remove_vad(process, vad);
    if (section)
        ObDereferenceObject(section);
}

/*
 * The process may have got only as far as having no region at all.  Who comes
 * into it by KeStackAttachProcess from now on finds it terminating.
 */
void mm_clean_address_space(EPROCESS *process)
{
    struct mi_vad *vad;

    ASSERT(process == PsGetCurrentProcess());
    ExWaitForRundownProtectionRelease(&process->RundownProtect);
    lock(process);
    __sync_fetch_and_or(&process->Flags, PS_PROCESS_FLAGS_VM_DELETED);
    while ((vad = mi_find_vad_above(process, 0)) != NULL)
        mi_delete_region(process, vad);
    ASSERT(process->VadCount == 0 && process->VirtualSize == 0);
    ASSERT(process->NumberOfPrivatePages == 0 && process->CommitCharge == 0);
    ASSERT(process->Vm.WorkingSetSize == 0);
    mi_end_locks(process);
    mi_free_user_tables();
    unlock(process);
}
