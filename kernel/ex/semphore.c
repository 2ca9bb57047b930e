/*
 * ex/semphore.c - semaphore objects.  The name is NT's.
 */
#include "exp.h"

OBJECT_TYPE *ExSemaphoreObjectType SEALED;

void exp_initialize_semaphores(void)
{
    ExSemaphoreObjectType = exp_create_type(L"Semaphore",
                                            SEMAPHORE_QUERY_STATE,
                                            SEMAPHORE_MODIFY_STATE,
                                            SEMAPHORE_ALL_ACCESS, NULL);
}

NTSTATUS NtCreateSemaphore(HANDLE *SemaphoreHandle, ACCESS_MASK DesiredAccess,
                           OBJECT_ATTRIBUTES *ObjectAttributes,
                           LONG InitialCount, LONG MaximumCount)
{
    void *semaphore;
    NTSTATUS status = exp_probe_handle(SemaphoreHandle);

    if (!NT_SUCCESS(status))
        return status;
    if (MaximumCount <= 0 || InitialCount < 0 || InitialCount > MaximumCount)
        return STATUS_INVALID_PARAMETER;
    status = ObCreateObject(ExGetPreviousMode(), ExSemaphoreObjectType,
                            ObjectAttributes, sizeof(KSEMAPHORE), &semaphore);
    if (!NT_SUCCESS(status))
        return status;
    KeInitializeSemaphore(semaphore, InitialCount, MaximumCount);
    return exp_insert(semaphore, DesiredAccess, SemaphoreHandle);
}

NTSTATUS NtOpenSemaphore(HANDLE *SemaphoreHandle, ACCESS_MASK DesiredAccess,
                         OBJECT_ATTRIBUTES *ObjectAttributes)
{
    return exp_open(ExSemaphoreObjectType, DesiredAccess, ObjectAttributes,
                    SemaphoreHandle);
}

NTSTATUS NtReleaseSemaphore(HANDLE SemaphoreHandle, LONG ReleaseCount,
                            LONG *PreviousCount)
{
    void *semaphore;
    LONG previous;
    NTSTATUS status = exp_probe_result(PreviousCount, sizeof previous,
                                       sizeof previous);

    if (NT_SUCCESS(status) && ReleaseCount <= 0)
        status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(status))
        status = exp_reference(SemaphoreHandle, SEMAPHORE_MODIFY_STATE,
                               ExSemaphoreObjectType, &semaphore);
    if (!NT_SUCCESS(status))
        return status;
    status = ke_release_semaphore(semaphore, SEMAPHORE_INCREMENT,
                                  ReleaseCount, &previous);
    ObDereferenceObject(semaphore);
    if (NT_SUCCESS(status))
        exp_return_result(PreviousCount, &previous, sizeof previous);
    return status;
}

NTSTATUS NtQuerySemaphore(HANDLE SemaphoreHandle,
                          ULONG SemaphoreInformationClass,
                          void *SemaphoreInformation,
                          ULONG SemaphoreInformationLength,
                          ULONG *ReturnLength)
{
    ULONG size = SemaphoreInformationClass == SemaphoreBasicInformation
                     ? sizeof(SEMAPHORE_BASIC_INFORMATION) : 0;
    SEMAPHORE_BASIC_INFORMATION basic;
    void *semaphore;
    NTSTATUS status = exp_check_query(SemaphoreInformation,
                                      SemaphoreInformationLength,
                                      ReturnLength, size);

    if (NT_SUCCESS(status))
        status = exp_reference(SemaphoreHandle, SEMAPHORE_QUERY_STATE,
                               ExSemaphoreObjectType, &semaphore);
    if (!NT_SUCCESS(status))
        return status;
    basic.CurrentCount = KeReadStateSemaphore(semaphore);
    basic.MaximumCount = ((KSEMAPHORE *)semaphore)->Limit;
    ObDereferenceObject(semaphore);
    return exp_answer(SemaphoreInformation, &basic, sizeof basic,
                      ReturnLength);
}
