/*
 * ps/capture.c - RTL_USER_PROCESS_PARAMETERS of a creator, captured.
 *
 * The block is the creator's and may change while it is read: each string's
 * header comes from one copy of the structure, its text is copied once.
 * Before ring 3 has normalized it pointers are offsets from its beginning.
 */
#include "psp.h"

#define ENVIRONMENT_TAG 0x76457350      /* "PsEv" */
#define LARGEST_ENVIRONMENT 0x100000

static NTSTATUS capture_string(const RTL_USER_PROCESS_PARAMETERS *user,
                               BOOLEAN normalized, UNICODE_STRING string,
                               UNICODE_STRING *result)
{
    if (string.Length % sizeof(WCHAR) || string.Length > 0xFFFC)
        return STATUS_INVALID_PARAMETER;
    if (!normalized)
        string.Buffer = (WCHAR *)((ULONG_PTR)user + (ULONG_PTR)string.Buffer);
    return psp_capture_text(&string, result);
}

static NTSTATUS capture_strings(const RTL_USER_PROCESS_PARAMETERS *user,
                                const RTL_USER_PROCESS_PARAMETERS *copy,
                                struct psp_parameters *to)
{
    const struct {
        UNICODE_STRING from, *to;
    } strings[] = {
        { copy->CurrentDirectory.DosPath, &to->current_directory },
        { copy->DllPath, &to->dll_path },
        { copy->ImagePathName, &to->image_path },
        { copy->CommandLine, &to->command_line },
        { copy->WindowTitle, &to->window_title },
        { copy->DesktopInfo, &to->desktop_info },
        { copy->ShellInfo, &to->shell_info },
        { copy->RuntimeData, &to->runtime_data },
    };
    BOOLEAN normalized = copy->Flags & RTL_USER_PROC_PARAMS_NORMALIZED;
    NTSTATUS status = STATUS_SUCCESS;

    for (ULONG i = 0; i < ARRAY_SIZE(strings) && NT_SUCCESS(status); i++)
        status = capture_string(user, normalized, strings[i].from,
                                strings[i].to);
    return status;
}

/* None becomes an empty one: two terminators. */
static NTSTATUS capture_environment(const RTL_USER_PROCESS_PARAMETERS *copy,
                                    struct psp_parameters *to)
{
    SIZE_T size = copy->Environment ? copy->EnvironmentSize : 0;
    NTSTATUS status = mm_probe_for_read(copy->Environment, size, 1);

    if (size > LARGEST_ENVIRONMENT)
        return STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(status))
        return status;
    to->environment_size = ALIGN_UP(size, sizeof(WCHAR)) + 2 * sizeof(WCHAR);
    to->environment = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                      to->environment_size, ENVIRONMENT_TAG);
    if (!to->environment)
        return STATUS_INSUFFICIENT_RESOURCES;
    return mm_copy_from_user(to->environment, copy->Environment, size);
}

NTSTATUS psp_capture_parameters(const RTL_USER_PROCESS_PARAMETERS *user,
                                struct psp_parameters *to)
{
    RTL_USER_PROCESS_PARAMETERS copy;
    NTSTATUS status = mm_probe_for_read(user, sizeof copy, sizeof(ULONG));

    memset(to, 0, sizeof *to);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&copy, user, sizeof copy);
    if (NT_SUCCESS(status) && copy.Length < sizeof copy)
        status = STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(status))
        return status;
    to->debug_flags = copy.DebugFlags;
    to->console_flags = copy.ConsoleFlags;
    to->standard[0] = copy.StandardInput;
    to->standard[1] = copy.StandardOutput;
    to->standard[2] = copy.StandardError;
    status = capture_strings(user, &copy, to);
    if (NT_SUCCESS(status))
        status = capture_environment(&copy, to);
    if (!NT_SUCCESS(status))
        psp_free_parameters(to);
    return status;
}

void psp_free_parameters(struct psp_parameters *parameters)
{
    psp_free_text(&parameters->current_directory);
    psp_free_text(&parameters->dll_path);
    psp_free_text(&parameters->image_path);
    psp_free_text(&parameters->command_line);
    psp_free_text(&parameters->window_title);
    psp_free_text(&parameters->desktop_info);
    psp_free_text(&parameters->shell_info);
    psp_free_text(&parameters->runtime_data);
    if (parameters->environment)
        ExFreePoolWithTag(parameters->environment, ENVIRONMENT_TAG);
    parameters->environment = NULL;
}
