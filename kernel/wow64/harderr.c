/*
 * wow64/harderr.c - NtRaiseHardError for 32-bit code.
 *
 * Its parameters are an array of four-byte values, and those that the mask
 * names are addresses of UNICODE_STRING32s: two levels to translate.
 */
#include "wow64p.h"

#include <nt/ntapi.h>

#define STRING_PLACE(i) (wow64p_thunk_area() + 0x40 + (i) * 0x20)

static NTSTATUS place_parameters(ULONG pointer, ULONG count, ULONG mask,
                                 ULONGLONG *translated)
{
    ULONG from[MAXIMUM_HARDERROR_PARAMETERS] = { 0 };
    ULONG_PTR form[MAXIMUM_HARDERROR_PARAMETERS];
    NTSTATUS status = mm_copy_from_user(from, (void *)(ULONG_PTR)pointer,
                                        count * sizeof from[0]);
    NTSTATUS string_status = STATUS_SUCCESS;

    for (ULONG i = 0; i < count && NT_SUCCESS(string_status); i++) {
        form[i] = from[i];
        if (NT_SUCCESS(status) && (mask & (1u << i)))
            string_status = wow64p_place_string(from[i], STRING_PLACE(i),
                                                &form[i]);
    }
    if (!NT_SUCCESS(string_status))
        return string_status;
    return wow64p_place(status, pointer, wow64p_thunk_area(), form,
                        count * sizeof form[0], translated);
}

/* Without parameters, or with too many, the service looks at none. */
NTSTATUS wow64_NtRaiseHardError(NTSTATUS error, ULONG count, ULONG mask,
                                ULONG_PTR parameters, ULONG options,
                                ULONG *response)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (parameters != 0 && count <= MAXIMUM_HARDERROR_PARAMETERS)
        status = place_parameters((ULONG)parameters, count, mask,
                                  &parameters);
    if (!NT_SUCCESS(status))
        return status;
    return NtRaiseHardError(error, count, mask, (ULONG_PTR *)parameters,
                            options, response);
}
