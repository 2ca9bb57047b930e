/*
 * thread.c - RtlCreateUserThread over NtCreateThreadEx, which makes the stack
 * and the context; and the end of a stack, which is the kernel's, too.
 */
#include "ldrmachine.h"

NTSTATUS NTAPI RtlCreateUserThread(HANDLE Process, void *SecurityDescriptor,
                                   BOOLEAN CreateSuspended, ULONG ZeroBits,
                                   SIZE_T MaximumStackSize,
                                   SIZE_T CommittedStackSize,
                                   PUSER_THREAD_START_ROUTINE StartAddress,
                                   void *Parameter, HANDLE *Thread,
                                   CLIENT_ID *ClientId)
{
    OBJECT_ATTRIBUTES attributes = {
        .Length = sizeof attributes,
        .SecurityDescriptor = SecurityDescriptor,
    };
    CLIENT_ID id;
    PS_ATTRIBUTE_LIST list = {
        .TotalLength = sizeof list,
        .Attributes[0] = { PS_ATTRIBUTE_CLIENT_ID, sizeof id,
                           { .ValuePtr = &id }, NULL },
    };
    HANDLE thread;
    NTSTATUS status = NtCreateThreadEx(
        &thread, THREAD_ALL_ACCESS, &attributes, Process,
        (void *)StartAddress, Parameter,
        CreateSuspended ? THREAD_CREATE_FLAGS_CREATE_SUSPENDED : 0, ZeroBits,
        CommittedStackSize, MaximumStackSize, &list);

    if (!NT_SUCCESS(status))
        return status;
    if (ClientId)
        *ClientId = id;
    if (Thread)
        *Thread = thread;
    else
        NtClose(thread);
    return STATUS_SUCCESS;
}

void ldr_give_up_stack(void)
{
}
