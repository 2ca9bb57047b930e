/*
 * ex/mutant.c - mutant objects: mutexes, to Win32.
 *
 * To give one back takes no right but to be the owner.  A mutant whose last
 * reference goes while it is owned leaves its owner's list.
 */
#include "exp.h"

OBJECT_TYPE *ExMutantObjectType SEALED;

static void delete_mutant(void *object)
{
    (void)ke_release_mutant(object, MUTANT_INCREMENT, TRUE, NULL);
}

void exp_initialize_mutants(void)
{
    ExMutantObjectType = exp_create_type(L"Mutant", MUTANT_QUERY_STATE, 0,
                                         MUTANT_ALL_ACCESS, delete_mutant);
}

NTSTATUS NtCreateMutant(HANDLE *MutantHandle, ACCESS_MASK DesiredAccess,
                        OBJECT_ATTRIBUTES *ObjectAttributes,
                        BOOLEAN InitialOwner)
{
    void *mutant;
    NTSTATUS status = exp_probe_handle(MutantHandle);

    if (NT_SUCCESS(status))
        status = ObCreateObject(ExGetPreviousMode(), ExMutantObjectType,
                                ObjectAttributes, sizeof(KMUTANT), &mutant);
    if (!NT_SUCCESS(status))
        return status;
    KeInitializeMutant(mutant, InitialOwner != FALSE);
    return exp_insert(mutant, DesiredAccess, MutantHandle);
}

NTSTATUS NtOpenMutant(HANDLE *MutantHandle, ACCESS_MASK DesiredAccess,
                      OBJECT_ATTRIBUTES *ObjectAttributes)
{
    return exp_open(ExMutantObjectType, DesiredAccess, ObjectAttributes,
                    MutantHandle);
}

NTSTATUS NtReleaseMutant(HANDLE MutantHandle, LONG *PreviousCount)
{
    void *mutant;
    LONG previous;
    NTSTATUS status = exp_probe_result(PreviousCount, sizeof previous,
                                       sizeof previous);

    if (NT_SUCCESS(status))
        status = exp_reference(MutantHandle, 0, ExMutantObjectType, &mutant);
    if (!NT_SUCCESS(status))
        return status;
    status = ke_release_mutant(mutant, MUTANT_INCREMENT, FALSE, &previous);
    ObDereferenceObject(mutant);
    if (NT_SUCCESS(status))
        exp_return_result(PreviousCount, &previous, sizeof previous);
    return status;
}

static void fill_basic(const KMUTANT *mutant, MUTANT_BASIC_INFORMATION *basic)
{
    basic->CurrentCount = KeReadStateMutant(mutant);
    basic->OwnedByCaller = mutant->OwnerThread == KeGetCurrentThread();
    basic->AbandonedState = (mutant->MutantFlags & MUTANT_ABANDONED) != 0;
}

/* An owner lets go of its mutants before it is deleted. */
static void fill_owner(const KMUTANT *mutant, MUTANT_OWNER_INFORMATION *owner)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    const KTHREAD *thread = mutant->OwnerThread;

    if (thread)
        owner->ClientId = CONTAINING_RECORD(thread, ETHREAD, Tcb)->Cid;
    KfLowerIrql(irql);
}

static ULONG class_size(ULONG class)
{
    switch (class) {
    case MutantBasicInformation:
        return sizeof(MUTANT_BASIC_INFORMATION);
    case MutantOwnerInformation:
        return sizeof(MUTANT_OWNER_INFORMATION);
    default:
        return 0;
    }
}

NTSTATUS NtQueryMutant(HANDLE MutantHandle, ULONG MutantInformationClass,
                       void *MutantInformation, ULONG MutantInformationLength,
                       ULONG *ReturnLength)
{
    ULONG size = class_size(MutantInformationClass);
    union {
        MUTANT_BASIC_INFORMATION basic;
        MUTANT_OWNER_INFORMATION owner;
    } information;
    void *mutant;
    NTSTATUS status = exp_check_query(MutantInformation,
                                      MutantInformationLength, ReturnLength,
                                      size);

    if (NT_SUCCESS(status))
        status = exp_reference(MutantHandle, MUTANT_QUERY_STATE,
                               ExMutantObjectType, &mutant);
    if (!NT_SUCCESS(status))
        return status;
    memset(&information, 0, sizeof information);
    if (MutantInformationClass == MutantBasicInformation)
        fill_basic(mutant, &information.basic);
    else
        fill_owner(mutant, &information.owner);
    ObDereferenceObject(mutant);
    return exp_answer(MutantInformation, &information, size, ReturnLength);
}
