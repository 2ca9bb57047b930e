/*
 * ps/create.c - NtCreateThreadEx and NtCreateThread.
 *
 * The first makes the stack as well; the second, which is XP's, gets stack
 * and registers from its caller.  Both decode and capture first.  From the
 * moment a thread is inserted it must run, so one whose handle cannot be made
 * runs to its end in ring 0.
 */
#include "psp.h"

#define VALID_FLAGS (THREAD_CREATE_FLAGS_CREATE_SUSPENDED | \
                     THREAD_CREATE_FLAGS_SKIP_THREAD_ATTACH | \
                     THREAD_CREATE_FLAGS_HIDE_FROM_DEBUGGER | \
                     THREAD_CREATE_FLAGS_LOADER_WORKER | \
                     THREAD_CREATE_FLAGS_SKIP_LOADER_INIT | \
                     THREAD_CREATE_FLAGS_BYPASS_PROCESS_FREEZE)

USHORT psp_teb_flags(ULONG flags)
{
    USHORT result = 0;

    if (flags & THREAD_CREATE_FLAGS_SKIP_THREAD_ATTACH)
        result |= TEB_SKIP_THREAD_ATTACH;
    if (flags & THREAD_CREATE_FLAGS_LOADER_WORKER)
        result |= TEB_LOADER_WORKER;
    if (flags & THREAD_CREATE_FLAGS_SKIP_LOADER_INIT)
        result |= TEB_SKIP_LOADER_INIT;
    return result;
}

/* Its handle, then the thread itself; the reference is used up. */
static NTSTATUS publish(ETHREAD *thread, ACCESS_MASK access, ULONG attributes,
                        HANDLE *user_handle)
{
    HANDLE handle;
    NTSTATUS status = psp_create_handle(thread, access, attributes, &handle);

    if (NT_SUCCESS(status)) {
        (void)mm_copy_to_user(user_handle, &handle, sizeof handle);
        KeReadyThread(&thread->Tcb);
    } else {
        psp_abandon_thread(thread, status);
    }
    ObDereferenceObject(thread);
    return status;
}

static NTSTATUS reference_target(HANDLE handle, EPROCESS **process)
{
    NTSTATUS status = ObReferenceObjectByHandle(
        handle, PROCESS_CREATE_THREAD, PsProcessType, ExGetPreviousMode(),
        (void **)process);

    if (NT_SUCCESS(status) && *process == PsInitialSystemProcess) {
        ObDereferenceObject(*process);
        status = STATUS_INVALID_HANDLE;
    }
    return status;
}

/* Everything that is left when the list has been captured. */
static NTSTATUS create(struct psp_new_thread *new, HANDLE process_handle,
                       void *routine, void *argument, SIZE_T commit,
                       SIZE_T reserve, ULONG flags, ETHREAD **thread)
{
    NTSTATUS status = reference_target(process_handle, &new->process);

    if (!NT_SUCCESS(status))
        return status;
    status = psp_create_thread_at(new, (ULONG_PTR)routine,
                                  (ULONG_PTR)argument, commit, reserve,
                                  thread);
    if (NT_SUCCESS(status) && (flags & THREAD_CREATE_FLAGS_HIDE_FROM_DEBUGGER))
        __sync_fetch_and_or(&(*thread)->CrossThreadFlags,
                            PS_CROSS_THREAD_FLAGS_HIDEFROMDBG);
    ObDereferenceObject(new->process);
    return status;
}

/*
 * NT: ZeroBits bounds the place of the stack; here it is only checked.
 * STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER_7: flags, _8: ZeroBits.
 */
NTSTATUS NtCreateThreadEx(HANDLE *ThreadHandle, ACCESS_MASK DesiredAccess,
                          OBJECT_ATTRIBUTES *ObjectAttributes,
                          HANDLE ProcessHandle, void *StartRoutine,
                          void *Argument, ULONG CreateFlags, SIZE_T ZeroBits,
                          SIZE_T StackSize, SIZE_T MaximumStackSize,
                          PS_ATTRIBUTE_LIST *AttributeList)
{
    struct psp_attributes attributes;
    struct psp_new_thread new = {
        .teb_flags = psp_teb_flags(CreateFlags),
        .suspended = CreateFlags & THREAD_CREATE_FLAGS_CREATE_SUSPENDED,
    };
    ULONG handle_attributes;
    ETHREAD *thread;
    NTSTATUS status;

    if (CreateFlags & ~VALID_FLAGS)
        return STATUS_INVALID_PARAMETER_7;
    if (ZeroBits > 21 && ZeroBits < 32)
        return STATUS_INVALID_PARAMETER_8;
    status = psp_capture_attributes(AttributeList, PS_ATTRIBUTE_THREAD,
                                    &attributes);
    if (NT_SUCCESS(status))
        status = mm_probe_for_write(ThreadHandle, sizeof *ThreadHandle,
                                    sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = psp_capture_handle_attributes(ObjectAttributes,
                                               &handle_attributes);
    if (NT_SUCCESS(status))
        status = create(&new, ProcessHandle, StartRoutine, Argument,
                        StackSize, MaximumStackSize, CreateFlags, &thread);
    if (!NT_SUCCESS(status))
        return status;
    psp_give_answer(&attributes.client_id, &thread->Cid);
    psp_give_answer(&attributes.teb, &thread->Tcb.Teb);
    return publish(thread, DesiredAccess, handle_attributes, ThreadHandle);
}

/* The caller's registers and stack, each read once. */
static NTSTATUS capture_start(const CONTEXT *user_context,
                              const INITIAL_TEB *user_teb, CONTEXT *context,
                              INITIAL_TEB *teb)
{
    NTSTATUS status = mm_probe_for_read(user_context, sizeof *context, 16);

    if (NT_SUCCESS(status))
        status = mm_probe_for_read(user_teb, sizeof *teb, sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(context, user_context, sizeof *context);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(teb, user_teb, sizeof *teb);
    if (NT_SUCCESS(status) && !(context->ContextFlags & CONTEXT_AMD64))
        status = STATUS_INVALID_PARAMETER;
    return status;
}

static NTSTATUS create_with(struct psp_new_thread *new, HANDLE handle,
                            ETHREAD **thread)
{
    KAPC_STATE state;
    NTSTATUS status = reference_target(handle, &new->process);

    if (!NT_SUCCESS(status))
        return status;
    new->start_routine = psp_kind_of_process(new->process)->routine_of(
        new->context);
    KeStackAttachProcess(&new->process->Pcb, &state);
    status = psp_create_user_thread(new, thread);
    KeUnstackDetachProcess(&state);
    ObDereferenceObject(new->process);
    return status;
}

/* 32-bit programs come here by kernel/wow64/thread.c. */
NTSTATUS NtCreateThread(HANDLE *ThreadHandle, ACCESS_MASK DesiredAccess,
                        OBJECT_ATTRIBUTES *ObjectAttributes,
                        HANDLE ProcessHandle, CLIENT_ID *ClientId,
                        CONTEXT *ThreadContext, INITIAL_TEB *InitialTeb,
                        BOOLEAN CreateSuspended)
{
    CONTEXT context;
    INITIAL_TEB stack;
    struct psp_new_thread new = {
        .context = &context,
        .stack = &stack,
        .suspended = CreateSuspended,
    };
    ULONG handle_attributes;
    ETHREAD *thread;
    NTSTATUS status = mm_probe_for_write(ThreadHandle, sizeof *ThreadHandle,
                                         sizeof(ULONG));

    if (NT_SUCCESS(status) && ClientId)
        status = mm_probe_for_write(ClientId, sizeof *ClientId,
                                    sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = capture_start(ThreadContext, InitialTeb, &context, &stack);
    if (NT_SUCCESS(status))
        status = psp_capture_handle_attributes(ObjectAttributes,
                                               &handle_attributes);
    if (NT_SUCCESS(status))
        status = create_with(&new, ProcessHandle, &thread);
    if (!NT_SUCCESS(status))
        return status;
    if (ClientId)
        (void)mm_copy_to_user(ClientId, &thread->Cid, sizeof thread->Cid);
    return publish(thread, DesiredAccess, handle_attributes, ThreadHandle);
}
