/*
 * ps/parameters.c - what a program is told about how it was started.
 *
 * RTL_USER_PROCESS_PARAMETERS and the strings it points to are one block in
 * user memory.  A copy is made in pool, with user addresses in it, and then
 * written at once.
 */
#include "psp.h"

#include <io.h>
#include <nt/ntapi.h>

#define TAG 0x6D726150                  /* "Parm" */
#define MAX_COMMAND_LINE 1024
#define MAX_IMAGE_NAME 64
#define SYSTEM_DIRECTORY L"\\SystemRoot\\System32\\"

/* The block as it lies in user memory. */
struct parameters {
    RTL_USER_PROCESS_PARAMETERS block;
    WCHAR command_line[MAX_COMMAND_LINE];
    WCHAR image_path[MAX_IMAGE_NAME + 32];
    WCHAR dll_path[32];
    WCHAR environment[4];
};

/* One string of the parameters: text in the copy, address in user memory. */
static void set_string(UNICODE_STRING *string, WCHAR *copy, SIZE_T capacity,
                       const struct parameters *local,
                       const struct parameters *user, const WCHAR *wide,
                       const CHAR *text)
{
    SIZE_T length = 0;

    for (; wide && *wide && length < capacity - 1; wide++)
        copy[length++] = *wide;
    for (; text && *text && length < capacity - 1; text++)
        copy[length++] = (UCHAR)*text;
    copy[length] = 0;
    string->Length = (USHORT)(length * sizeof(WCHAR));
    string->MaximumLength = (USHORT)(string->Length + sizeof(WCHAR));
    string->Buffer = (WCHAR *)((UCHAR *)user +
                               ((UCHAR *)copy - (UCHAR *)local));
}

static NTSTATUS open_console(RTL_USER_PROCESS_PARAMETERS *block)
{
    HANDLE *const handles[] = { &block->StandardInput, &block->StandardOutput,
                                &block->StandardError };
    void *console;
    NTSTATUS status = io_open_console(&console);

    if (!NT_SUCCESS(status))
        return status;
    for (ULONG i = 0; i < ARRAY_SIZE(handles) && NT_SUCCESS(status); i++)
        status = ob_create_handle(console, GENERIC_READ | GENERIC_WRITE,
                                  handles[i]);
    ObDereferenceObject(console);
    return status;
}

static void fill(const struct psp_start *start, struct parameters *local,
                 struct parameters *user)
{
    RTL_USER_PROCESS_PARAMETERS *block = &local->block;

    block->MaximumLength = block->Length = sizeof *local;
    block->Flags = RTL_USER_PROC_PARAMS_NORMALIZED;
    set_string(&block->CommandLine, local->command_line, MAX_COMMAND_LINE,
               local, user, NULL, start->command_line);
    set_string(&block->ImagePathName, local->image_path,
               ARRAY_SIZE(local->image_path), local, user, SYSTEM_DIRECTORY,
               NULL);
    block->ImagePathName.Length += start->image_name->Length;
    block->ImagePathName.MaximumLength += start->image_name->Length;
    memcpy(local->image_path + ARRAY_SIZE(SYSTEM_DIRECTORY) - 1,
           start->image_name->Buffer, start->image_name->Length);
    block->WindowTitle = block->ImagePathName;
    set_string(&block->DllPath, local->dll_path, ARRAY_SIZE(local->dll_path),
               local, user, SYSTEM_DIRECTORY, NULL);
    block->CurrentDirectory.DosPath = block->DllPath;
    block->Environment = user->environment;
    block->EnvironmentSize = sizeof local->environment;
}

NTSTATUS psp_build_parameters(struct psp_start *start)
{
    struct parameters *local = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                               sizeof *local, TAG);
    void *place = NULL;
    NTSTATUS status;

    if (!local)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = mm_allocate_user(&place, sizeof *local, PAGE_READWRITE);
    if (NT_SUCCESS(status)) {
        fill(start, local, place);
        status = open_console(&local->block);
    }
    if (NT_SUCCESS(status))
        status = psp_write_user(place, local, sizeof *local);
    ExFreePoolWithTag(local, TAG);
    start->parameters = place;
    return status;
}
