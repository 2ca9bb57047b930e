/*
 * ps/program.c - one program from its command line to its exit status.
 *
 * A system thread makes the process and its first thread, and waits for the
 * process to end.
 */
#include "psp.h"

#include <io.h>
#include <kd.h>
#include <mm.h>

#define MAX_IMAGE_NAME 64
#define MAX_COMMAND_LINE 1024
#define SYSTEM_DIRECTORY L"\\SystemRoot\\System32\\"
#define DIRECTORY_LENGTH (ARRAY_SIZE(SYSTEM_DIRECTORY) - 1)

struct program {
    WCHAR path[DIRECTORY_LENGTH + MAX_IMAGE_NAME];
    WCHAR line[MAX_COMMAND_LINE];
    WCHAR environment[2];
    UNICODE_STRING name;                /* the end of path */
    struct psp_parameters parameters;
};

/* The first word of a command line, without its quotes, becomes the name. */
static void set_path(struct program *program, const CHAR *line)
{
    WCHAR *name = program->path + DIRECTORY_LENGTH;
    CHAR end = *line == '"' ? '"' : ' ';
    USHORT length = 0;

    memcpy(program->path, SYSTEM_DIRECTORY, sizeof SYSTEM_DIRECTORY);
    if (end == '"')
        line++;
    while (*line && *line != end && length < MAX_IMAGE_NAME - 1)
        name[length++] = (UCHAR)*line++;
    name[length] = 0;
    RtlInitUnicodeString(&program->name, name);
    RtlInitUnicodeString(&program->parameters.image_path, program->path);
    program->parameters.window_title = program->parameters.image_path;
}

static void set_parameters(struct program *program, const CHAR *line)
{
    struct psp_parameters *parameters = &program->parameters;

    memset(program, 0, sizeof *program);
    set_path(program, line);
    for (ULONG i = 0; line[i] && i < MAX_COMMAND_LINE - 1; i++)
        program->line[i] = (UCHAR)line[i];
    RtlInitUnicodeString(&parameters->command_line, program->line);
    RtlInitUnicodeString(&parameters->dll_path, SYSTEM_DIRECTORY);
    parameters->current_directory = parameters->dll_path;
    parameters->environment = program->environment;
    parameters->environment_size = sizeof program->environment;
}

static NTSTATUS create_process(struct program *program, EPROCESS **process)
{
    const void *bytes;
    void *section;
    SIZE_T size;
    NTSTATUS status = io_find_boot_file(&program->name, &bytes, &size);

    if (NT_SUCCESS(status))
        status = mm_create_section(bytes, size, TRUE, &section);
    if (!NT_SUCCESS(status))
        return status;
    status = psp_create_process(section, &program->name, &program->parameters,
                                PsInitialSystemProcess, process);
    ObDereferenceObject(section);
    return status;
}

NTSTATUS psp_create_first_thread(EPROCESS *process, BOOLEAN suspended,
                                 USHORT flags, ETHREAD **thread)
{
    struct psp_new_thread new = {
        .process = process,
        .teb_flags = flags,
        .suspended = suspended,
    };
    const struct mm_image_information *image =
        mm_section_image(process->SectionObject);

    return psp_create_thread_at(&new,
                                (ULONG_PTR)process->SectionBaseAddress +
                                    image->entry_point,
                                (ULONG_PTR)process->Peb, 0, 0, thread);
}

static NTSTATUS run(EPROCESS *process, NTSTATUS *exit_status)
{
    const struct psp_ntdll *ntdll =
        psp_ntdll_of(psp_kind_of_process(process));
    ETHREAD *thread;
    NTSTATUS status = psp_create_first_thread(process, FALSE, 0, &thread);

    if (!NT_SUCCESS(status)) {
        psp_abandon_process(process);
        return status;
    }
    mm_check_protections();
    DbgPrintEx(KD_PS_ID, DPFLTR_TRACE_LEVEL,
               "\nprocess %llu %s: image %llx, ntdll %llx, PEB %llx, "
               "TEB %llx\n\n",
               (ULONGLONG)process->UniqueProcessId, process->ImageFileName,
               (ULONGLONG)process->SectionBaseAddress, (ULONGLONG)ntdll->base,
               (ULONGLONG)process->Peb, (ULONGLONG)thread->Tcb.Teb);
    KeReadyThread(&thread->Tcb);
    ObDereferenceObject(thread);
    KeWaitForSingleObject(process, Executive, KernelMode, FALSE, NULL);
    *exit_status = process->ExitStatus;
    return STATUS_SUCCESS;
}

NTSTATUS ps_run_program(const char *command_line, NTSTATUS *exit_status)
{
    static struct program program;
    EPROCESS *process;
    NTSTATUS status;

    set_parameters(&program, command_line);
    status = create_process(&program, &process);
    if (!NT_SUCCESS(status))
        return status;
    status = run(process, exit_status);
    ObDereferenceObject(process);
    return status;
}
