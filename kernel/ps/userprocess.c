/*
 * ps/userprocess.c - NtCreateUserProcess: a process and its first thread from
 * a file's name.
 *
 * Everything the caller passes is captured first (struct request), then the
 * image is opened, the process and the thread are made, and at last both get
 * handles.  PS_CREATE_INFO tells the caller how far that went.
 *
 * NT: file and section are handed out as handles on request; here there are
 * none.
 */
#include "psp.h"

#include <io.h>

#define VALID_PROCESS_FLAGS (PROCESS_CREATE_FLAGS_BREAKAWAY | \
                             PROCESS_CREATE_FLAGS_NO_DEBUG_INHERIT | \
                             PROCESS_CREATE_FLAGS_INHERIT_HANDLES)
#define VALID_THREAD_FLAGS THREAD_CREATE_FLAGS_CREATE_SUSPENDED

NTSTATUS ZwOpenFile(HANDLE *handle, ACCESS_MASK access,
                    OBJECT_ATTRIBUTES *attributes, IO_STATUS_BLOCK *block,
                    ULONG share, ULONG options);
NTSTATUS ZwClose(HANDLE handle);

struct request {
    struct psp_parameters parameters;
    struct psp_attributes attributes;
    ULONG process_attributes, thread_attributes;
    PS_CREATE_INFO *user_info, info;
    EPROCESS *parent;
};

/* What a user process has of the boot files' bytes: the file behind a name. */
static NTSTATUS open_bytes(UNICODE_STRING *name, const void **bytes,
                           SIZE_T *size)
{
    OBJECT_ATTRIBUTES attributes = {
        .Length = sizeof attributes,
        .ObjectName = name,
        .Attributes = OBJ_CASE_INSENSITIVE,
    };
    IO_STATUS_BLOCK block;
    HANDLE handle;
    void *file;
    NTSTATUS status = ZwOpenFile(&handle, FILE_EXECUTE | SYNCHRONIZE,
                                 &attributes, &block, FILE_SHARE_READ,
                                 FILE_SYNCHRONOUS_IO_NONALERT |
                                     FILE_NON_DIRECTORY_FILE);

    if (!NT_SUCCESS(status))
        return status;
    status = ObReferenceObjectByHandle(handle, 0, IoFileObjectType,
                                       KernelMode, &file);
    if (NT_SUCCESS(status)) {
        status = io_file_bytes(file, bytes, size);
        ObDereferenceObject(file);
    }
    (void)ZwClose(handle);
    return status;
}

static NTSTATUS open_section(struct request *request, void **section)
{
    const void *bytes;
    SIZE_T size;
    NTSTATUS status = open_bytes(&request->attributes.image_name, &bytes,
                                 &size);

    request->info.State = PsCreateFailOnFileOpen;
    if (!NT_SUCCESS(status))
        return status;
    request->info.State = PsCreateFailOnSectionCreate;
    return mm_create_section(bytes, size, TRUE, section);
}

/* The last part of a path. */
static UNICODE_STRING file_name(const UNICODE_STRING *path)
{
    USHORT at = path->Length / sizeof(WCHAR);

    while (at > 0 && path->Buffer[at - 1] != L'\\')
        at--;
    return (UNICODE_STRING){
        .Length = (USHORT)(path->Length - at * sizeof(WCHAR)),
        .MaximumLength = (USHORT)(path->Length - at * sizeof(WCHAR)),
        .Buffer = path->Buffer + at,
    };
}

static NTSTATUS create(struct request *request, BOOLEAN suspended,
                       EPROCESS **process, ETHREAD **thread)
{
    UNICODE_STRING name = file_name(&request->attributes.image_name);
    void *section;
    NTSTATUS status = open_section(request, &section);

    if (!NT_SUCCESS(status))
        return status;
    status = psp_create_process(section, &name, &request->parameters,
                                request->parent, process);
    ObDereferenceObject(section);
    if (!NT_SUCCESS(status))
        return status;
    status = psp_create_first_thread(*process, suspended, TEB_INITIAL_THREAD,
                                     thread);
    if (!NT_SUCCESS(status)) {
        psp_abandon_process(*process);
        ObDereferenceObject(*process);
    }
    return status;
}

static NTSTATUS reference_parent(struct request *request)
{
    void *parent = PsGetCurrentProcess();

    if (request->attributes.parent)
        return ObReferenceObjectByHandle(request->attributes.parent,
                                         PROCESS_CREATE_PROCESS,
                                         PsProcessType, ExGetPreviousMode(),
                                         (void **)&request->parent);
    ObReferenceObject(parent);
    request->parent = parent;
    return STATUS_SUCCESS;
}

static NTSTATUS capture_info(struct request *request, PS_CREATE_INFO *user)
{
    NTSTATUS status = mm_probe_for_write(user, sizeof *user, sizeof(ULONG));

    request->user_info = user;
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&request->info, user, sizeof *user);
    if (NT_SUCCESS(status) && (request->info.Size != sizeof *user ||
                               request->info.State != PsCreateInitialState))
        status = STATUS_INVALID_PARAMETER;
    return status;
}

static void free_request(struct request *request)
{
    psp_free_attributes(&request->attributes);
    psp_free_parameters(&request->parameters);
    if (request->parent)
        ObDereferenceObject(request->parent);
}

static NTSTATUS capture(struct request *request, PS_CREATE_INFO *info,
                        const PS_ATTRIBUTE_LIST *list,
                        const RTL_USER_PROCESS_PARAMETERS *parameters)
{
    NTSTATUS status = capture_info(request, info);

    if (NT_SUCCESS(status))
        status = psp_capture_attributes(list, 0, &request->attributes);
    if (NT_SUCCESS(status) && !request->attributes.image_name.Buffer)
        status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(status))
        status = psp_capture_parameters(parameters, &request->parameters);
    if (NT_SUCCESS(status))
        status = reference_parent(request);
    return status;
}

static void describe(const EPROCESS *process,
                     SECTION_IMAGE_INFORMATION *information)
{
    const struct mm_image_information *image =
        mm_section_image(process->SectionObject);

    mm_describe_image(process->SectionObject, information);
    information->TransferAddress = (UCHAR *)process->SectionBaseAddress +
                                   image->entry_point;
}

static void answer(struct request *request, const EPROCESS *process,
                   const ETHREAD *thread)
{
    const EWOW64PROCESS *wow64 = process->WoW64Process;
    SECTION_IMAGE_INFORMATION image;

    describe(process, &image);
    psp_give_answer(&request->attributes.client_id, &thread->Cid);
    psp_give_answer(&request->attributes.teb, &thread->Tcb.Teb);
    psp_give_answer(&request->attributes.image, &image);
    request->info = (PS_CREATE_INFO){
        .Size = sizeof request->info,
        .State = PsCreateSuccess,
        .CurrentParameterFlags = RTL_USER_PROC_PARAMS_NORMALIZED,
        .PebAddressNative = (ULONG_PTR)process->Peb,
        .PebAddressWow64 = wow64 ? (ULONG)(ULONG_PTR)wow64->Peb : 0,
    };
}

/* Both handles, or none and the thread ends before ring 3. */
static NTSTATUS publish(const struct request *request, EPROCESS *process,
                        ACCESS_MASK process_access, ETHREAD *thread,
                        ACCESS_MASK thread_access, HANDLE handles[2])
{
    NTSTATUS status = psp_create_handle(process, process_access,
                                        request->process_attributes,
                                        &handles[0]);

    if (NT_SUCCESS(status)) {
        status = psp_create_handle(thread, thread_access,
                                   request->thread_attributes, &handles[1]);
        if (!NT_SUCCESS(status))
            (void)NtClose(handles[0]);
    }
    if (NT_SUCCESS(status))
        KeReadyThread(&thread->Tcb);
    else
        psp_abandon_thread(thread, status);
    return status;
}

NTSTATUS NtCreateUserProcess(HANDLE *ProcessHandle, HANDLE *ThreadHandle,
                             ACCESS_MASK ProcessDesiredAccess,
                             ACCESS_MASK ThreadDesiredAccess,
                             OBJECT_ATTRIBUTES *ProcessObjectAttributes,
                             OBJECT_ATTRIBUTES *ThreadObjectAttributes,
                             ULONG ProcessFlags, ULONG ThreadFlags,
                             RTL_USER_PROCESS_PARAMETERS *ProcessParameters,
                             PS_CREATE_INFO *CreateInfo,
                             PS_ATTRIBUTE_LIST *AttributeList)
{
    struct request request = { .parent = NULL };
    EPROCESS *process;
    ETHREAD *thread;
    HANDLE handles[2];
    NTSTATUS status;

    if ((ProcessFlags & ~VALID_PROCESS_FLAGS) ||
        (ThreadFlags & ~VALID_THREAD_FLAGS))
        return STATUS_INVALID_PARAMETER;
    status = mm_probe_for_write(ProcessHandle, sizeof(HANDLE), sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_probe_for_write(ThreadHandle, sizeof(HANDLE),
                                    sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = psp_capture_handle_attributes(ProcessObjectAttributes,
                                               &request.process_attributes);
    if (NT_SUCCESS(status))
        status = psp_capture_handle_attributes(ThreadObjectAttributes,
                                               &request.thread_attributes);
    if (NT_SUCCESS(status))
        status = capture(&request, CreateInfo, AttributeList,
                         ProcessParameters);
    if (!NT_SUCCESS(status)) {
        free_request(&request);
        return status;
    }
    request.parameters.inherited = ProcessFlags &
                                   PROCESS_CREATE_FLAGS_INHERIT_HANDLES;
    status = create(&request, ThreadFlags, &process, &thread);
    if (NT_SUCCESS(status)) {
        answer(&request, process, thread);
        status = publish(&request, process, ProcessDesiredAccess, thread,
                         ThreadDesiredAccess, handles);
        ObDereferenceObject(thread);
        ObDereferenceObject(process);
    }
    (void)mm_copy_to_user(CreateInfo, &request.info, sizeof request.info);
    if (NT_SUCCESS(status)) {
        (void)mm_copy_to_user(ProcessHandle, &handles[0], sizeof(HANDLE));
        (void)mm_copy_to_user(ThreadHandle, &handles[1], sizeof(HANDLE));
    }
    free_request(&request);
    return status;
}
