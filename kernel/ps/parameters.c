/*
 * ps/parameters.c - what a program is told about how it was started.
 *
 * RTL_USER_PROCESS_PARAMETERS, the strings it points to and the environment
 * are one block in user memory, as ring 3 makes it before it is normalized:
 * strings one behind the other.  A copy is made in pool, with user addresses
 * in it, and then written at once.
 */
#include "psp.h"

#include <io.h>

#define TAG 0x6D726150                  /* "Parm" */

/* The block: local is the copy, user where it will lie, used how far. */
struct block {
    UCHAR *local, *user;
    SIZE_T used;
};

static SIZE_T string_space(const UNICODE_STRING *string)
{
    return ALIGN_UP(string->Length + sizeof(WCHAR), sizeof(void *));
}

static SIZE_T space_for(const struct psp_parameters *given)
{
    return sizeof(RTL_USER_PROCESS_PARAMETERS) +
           string_space(&given->current_directory) +
           string_space(&given->dll_path) +
           string_space(&given->image_path) +
           string_space(&given->command_line) +
           string_space(&given->window_title) +
           string_space(&given->desktop_info) +
           string_space(&given->shell_info) +
           string_space(&given->runtime_data) + given->environment_size;
}

/* The copy was zeroed: every string has its terminator. */
static UNICODE_STRING put(struct block *block, const UNICODE_STRING *string)
{
    UNICODE_STRING result = {
        .Length = string->Length,
        .MaximumLength = string->Length + sizeof(WCHAR),
        .Buffer = (WCHAR *)(block->user + block->used),
    };

    memcpy(block->local + block->used, string->Buffer, string->Length);
    block->used += string_space(string);
    return result;
}

static void fill(struct block *block, const struct psp_parameters *given)
{
    RTL_USER_PROCESS_PARAMETERS *to = (void *)block->local;

    to->Flags = RTL_USER_PROC_PARAMS_NORMALIZED;
    to->DebugFlags = given->debug_flags;
    to->ConsoleFlags = given->console_flags;
    to->CurrentDirectory.DosPath = put(block, &given->current_directory);
    to->DllPath = put(block, &given->dll_path);
    to->ImagePathName = put(block, &given->image_path);
    to->CommandLine = put(block, &given->command_line);
    to->WindowTitle = put(block, &given->window_title);
    to->DesktopInfo = put(block, &given->desktop_info);
    to->ShellInfo = put(block, &given->shell_info);
    to->RuntimeData = put(block, &given->runtime_data);
    to->Environment = block->user + block->used;
    to->EnvironmentSize = given->environment_size;
    memcpy(block->local + block->used, given->environment,
           given->environment_size);
    block->used += given->environment_size;
    to->MaximumLength = to->Length = (ULONG)block->used;
}

static BOOLEAN is_handle(HANDLE handle)
{
    void *object;
    NTSTATUS status = ObReferenceObjectByHandle(handle, 0, IoFileObjectType,
                                                KernelMode, &object);

    if (!NT_SUCCESS(status))
        return FALSE;
    ObDereferenceObject(object);
    return TRUE;
}

static NTSTATUS open_console(RTL_USER_PROCESS_PARAMETERS *to,
                             const struct psp_parameters *given)
{
    void **const handles[] = { &to->StandardInput, &to->StandardOutput,
                               &to->StandardError };
    void *console;
    NTSTATUS status = io_open_console(&console);

    if (!NT_SUCCESS(status))
        return status;
    for (ULONG i = 0; i < ARRAY_SIZE(handles) && NT_SUCCESS(status); i++) {
        *handles[i] = given->standard[i];
        if (!given->inherited || !is_handle(given->standard[i]))
            status = ob_create_handle(console, GENERIC_READ | GENERIC_WRITE,
                                      handles[i]);
    }
    ObDereferenceObject(console);
    return status;
}

NTSTATUS psp_build_parameters(struct psp_start *start)
{
    SIZE_T size = space_for(start->given);
    struct block block = { .used = sizeof(RTL_USER_PROCESS_PARAMETERS) };
    void *place = NULL;
    NTSTATUS status = mm_allocate_user(&place, size, PAGE_READWRITE);

    if (!NT_SUCCESS(status))
        return status;
    block.user = place;
    block.local = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, TAG);
    if (!block.local)
        return STATUS_INSUFFICIENT_RESOURCES;
    fill(&block, start->given);
    status = open_console((void *)block.local, start->given);
    if (NT_SUCCESS(status))
        status = psp_write_user(place, block.local, size);
    ExFreePoolWithTag(block.local, TAG);
    start->parameters = place;
    return status;
}
