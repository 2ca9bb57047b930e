/*
 * ps/create.c - one program from its command line to its exit status.
 *
 * A system thread makes the process and its thread, and waits for the process
 * to end.
 */
#include "psp.h"

#include <arch/thread.h>
#include <ex.h>
#include <io.h>
#include <kd.h>
#include <mm.h>

#define PROCESS_PRIORITY 8
#define MAX_IMAGE_NAME 64

void psp_attach(EPROCESS *process)
{
    KTHREAD *thread = KeGetCurrentThread();

    thread->ApcState.Process = &process->Pcb;
    thread->ApcStateIndex = 1;
    arch_load_address_space(process->Pcb.DirectoryTableBase);
}

void psp_detach(void)
{
    KTHREAD *thread = KeGetCurrentThread();

    thread->ApcState.Process = thread->Process;
    thread->ApcStateIndex = 0;
    arch_load_address_space(thread->Process->DirectoryTableBase);
}

/* The first word of a command line, without its quotes. */
static void image_name(const CHAR *line, WCHAR *name, UNICODE_STRING *string)
{
    CHAR end = *line == '"' ? '"' : ' ';
    USHORT length = 0;

    if (end == '"')
        line++;
    while (*line && *line != end && length < MAX_IMAGE_NAME - 1)
        name[length++] = (UCHAR)*line++;
    name[length] = 0;
    RtlInitUnicodeString(string, name);
}

static NTSTATUS create_process(const UNICODE_STRING *name, void *section,
                               EPROCESS **result)
{
    void *object;
    EPROCESS *process;
    NTSTATUS status = ob_create_object(PsProcessType, sizeof *process,
                                       &object);

    if (!NT_SUCCESS(status))
        return status;
    process = object;
    KeInitializeProcess(&process->Pcb, PROCESS_PRIORITY, 0);
    process->UniqueProcessId = psp_new_id();
    process->InheritedFromUniqueProcessId =
        PsInitialSystemProcess->UniqueProcessId;
    process->ExitStatus = 0x103;        /* STATUS_PENDING: still running */
    InitializeListHead(&process->ThreadListHead);
    KeQuerySystemTime(&process->CreateTime);
    for (ULONG i = 0; i < sizeof process->ImageFileName - 1 &&
                      i < name->Length / sizeof(WCHAR); i++)
        process->ImageFileName[i] = (CHAR)name->Buffer[i];
    ObReferenceObject(section);
    process->SectionObject = section;
    process->ObjectTable = ExCreateHandleTable(process);
    status = process->ObjectTable ? psp_kind_of(section)->prepare(process)
                                  : STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(status))
        status = MmCreateProcessAddressSpace(process);
    if (!NT_SUCCESS(status)) {
        ObKillProcess(process);
        ObDereferenceObject(process);
        return status;
    }
    *result = process;
    return STATUS_SUCCESS;
}

/* The new thread's own first steps in ring 0. */
static void PspUserThreadStartup(void *argument)
{
    const struct psp_start *start = argument;

    ps_exit_process(start->kind->enter(start));
}

static NTSTATUS run_process(EPROCESS *process, const CHAR *command_line,
                            const UNICODE_STRING *name)
{
    struct psp_start start = {
        .process = process,
        .kind = psp_kind_of(process->SectionObject),
        .command_line = command_line,
        .image_name = name,
        .cid = { process->UniqueProcessId, psp_new_id() },
    };
    ETHREAD *thread = NULL;
    NTSTATUS status;

    psp_attach(process);
    status = psp_build_user_space(&start, process->SectionObject);
    mm_check_protections();
    if (NT_SUCCESS(status))
        status = psp_create_thread(process, &start.cid, start.teb,
                                   PspUserThreadStartup, &start, UserMode,
                                   &thread);
    if (!NT_SUCCESS(status)) {
        ObKillProcess(process);
        mm_clean_address_space(process);
    }
    psp_detach();
    if (!NT_SUCCESS(status))
        return status;
    DbgPrint("\nprocess %llu %s: image %llx, ntdll %llx, PEB %llx, "
             "TEB %llx\n\n",
             (ULONGLONG)process->UniqueProcessId, process->ImageFileName,
             (ULONGLONG)process->SectionBaseAddress, start.ntdll_base,
             (ULONGLONG)process->Peb, (ULONGLONG)start.teb);
    KeReadyThread(&thread->Tcb);
    KeWaitForSingleObject(process, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(thread);
    return STATUS_SUCCESS;
}

NTSTATUS ps_run_program(const char *command_line, NTSTATUS *exit_status)
{
    WCHAR name[MAX_IMAGE_NAME];
    UNICODE_STRING string;
    EPROCESS *process;
    const void *bytes;
    void *section;
    SIZE_T size;
    NTSTATUS status;

    image_name(command_line, name, &string);
    status = io_find_boot_file(&string, &bytes, &size);
    if (NT_SUCCESS(status))
        status = mm_create_section(bytes, size, TRUE, &section);
    if (!NT_SUCCESS(status))
        return status;
    status = create_process(&string, section, &process);
    ObDereferenceObject(section);
    if (!NT_SUCCESS(status))
        return status;
    status = run_process(process, command_line, &string);
    *exit_status = process->ExitStatus;
    ObDereferenceObject(process);
    return status;
}
