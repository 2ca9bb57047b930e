/*
 * ex/harderr.c - NtRaiseHardError: an error that somebody should see.
 *
 * ntdll calls it when a program cannot start (a DLL that is missing, an entry
 * point that is not there).  NT passes it to the process's error port, where
 * the Win32 subsystem shows a message box and its button comes back.  Nobody
 * listens on a port here, so the kernel prints the error, with the strings
 * that belong to it, and answers as NT does without a port: back to the
 * caller, no button.
 */
#include <kd.h>
#include <mm.h>
#include <nt/ntapi.h>

/* A parameter is a number, or a UNICODE_STRING in the caller's memory. */
struct exp_hard_error {
    NTSTATUS status;
    ULONG count;
    ULONG string_mask;
    ULONG_PTR values[MAXIMUM_HARDERROR_PARAMETERS];
    UNICODE_STRING strings[MAXIMUM_HARDERROR_PARAMETERS];
};

static void exp_free_strings(struct exp_hard_error *error)
{
    for (ULONG i = 0; i < error->count; i++) {
        if (error->string_mask & (1u << i))
            mm_free_string(&error->strings[i]);
    }
}

/* All of it, or nothing that would have to be freed. */
static NTSTATUS exp_capture_parameters(struct exp_hard_error *error,
                                       const ULONG_PTR *user)
{
    SIZE_T size = error->count * sizeof(*user);
    NTSTATUS status = mm_probe_for_read(user, size, sizeof(ULONG_PTR));

    if (NT_SUCCESS(status))
        status = mm_copy_from_user(error->values, user, size);
    for (ULONG i = 0; i < error->count && NT_SUCCESS(status); i++) {
        if (error->string_mask & (1u << i))
            status = mm_capture_string((UNICODE_STRING *)error->values[i],
                                       &error->strings[i]);
    }
    if (!NT_SUCCESS(status))
        exp_free_strings(error);
    return status;
}

static void exp_print_hard_error(const struct exp_hard_error *error)
{
    DbgPrint("Hard error %08x\n", error->status);
    for (ULONG i = 0; i < error->count; i++) {
        const WCHAR *text = error->strings[i].Buffer;

        if (!(error->string_mask & (1u << i)))
            DbgPrint("  %u: %llx\n", i + 1, error->values[i]);
        else
            DbgPrint("  %u: %.200ls\n", i + 1, text == NULL ? L"" : text);
    }
}

static ULONG exp_response(ULONG options)
{
    switch (options) {
    case OptionShutdownSystem:
        return ResponseNotHandled;
    case OptionOkNoWait:
        return ResponseOk;
    default:
        return ResponseReturnToCaller;
    }
}

/*
 * OptionShutdownSystem wants a bugcheck with the error's code; as for any
 * Windows caller without SeShutdownPrivilege, that is
 * STATUS_PRIVILEGE_NOT_HELD.
 */
NTSTATUS NtRaiseHardError(NTSTATUS ErrorStatus, ULONG NumberOfParameters,
                          ULONG UnicodeStringParameterMask,
                          ULONG_PTR *Parameters, ULONG ValidResponseOptions,
                          ULONG *Response)
{
    struct exp_hard_error error = {
        .status = ErrorStatus & ~HARDERROR_OVERRIDE_ERRORMODE,
        .count = Parameters == NULL ? 0 : NumberOfParameters,
        .string_mask = UnicodeStringParameterMask,
    };
    ULONG response = exp_response(ValidResponseOptions);
    NTSTATUS status;

    if (NumberOfParameters > MAXIMUM_HARDERROR_PARAMETERS)
        return STATUS_INVALID_PARAMETER_2;
    if (ValidResponseOptions > OptionCancelTryContinue)
        return STATUS_INVALID_PARAMETER_4;
    status = mm_probe_for_write(Response, sizeof(*Response), sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = exp_capture_parameters(&error, Parameters);
    if (!NT_SUCCESS(status))
        return status;

    if (ValidResponseOptions == OptionShutdownSystem)
        status = STATUS_PRIVILEGE_NOT_HELD;
    else
        exp_print_hard_error(&error);
    exp_free_strings(&error);
    if (!NT_SUCCESS(mm_copy_to_user(Response, &response, sizeof(response))))
        return STATUS_ACCESS_VIOLATION;
    return status;
}
