/*
 * mm/capture.c - what the memory services have in common at their door.
 *
 * Each takes a process and the addresses of a base and a size, which it reads
 * once at the beginning and writes at the end.
 */
#include "vad.h"

NTSTATUS mi_reference_process(HANDLE handle, ACCESS_MASK access,
                              EPROCESS **process)
{
    return ObReferenceObjectByHandle(handle, access, PsProcessType,
                                     ExGetPreviousMode(), (void **)process);
}

NTSTATUS mi_capture_region(void **user_base, SIZE_T *user_size,
                           ULONGLONG *base, SIZE_T *size)
{
    NTSTATUS status = mm_probe_for_write(user_base, sizeof *user_base, 1);

    if (NT_SUCCESS(status))
        status = mm_probe_for_write(user_size, sizeof *user_size, 1);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(base, user_base, sizeof *base);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(size, user_size, sizeof *size);
    return status;
}

NTSTATUS mi_capture_pages(void **user_base, SIZE_T *user_size,
                          ULONGLONG *start, ULONGLONG *end)
{
    ULONGLONG highest = mi_highest_user_address(PsGetCurrentProcess());
    ULONGLONG base;
    SIZE_T size;
    NTSTATUS status = mi_capture_region(user_base, user_size, &base, &size);

    if (!NT_SUCCESS(status))
        return status;
    if (base > highest)
        return STATUS_INVALID_PARAMETER_2;
    if (highest - base < size || size == 0)
        return STATUS_INVALID_PARAMETER_3;
    *start = ALIGN_DOWN(base, PAGE_SIZE);
    *end = ALIGN_UP(base + size, PAGE_SIZE);
    return STATUS_SUCCESS;
}

void mi_return_region(void **user_base, SIZE_T *user_size, ULONGLONG base,
                      SIZE_T size)
{
    (void)mm_copy_to_user(user_size, &size, sizeof size);
    (void)mm_copy_to_user(user_base, &base, sizeof base);
}

ULONGLONG mi_zero_bits_limit(ULONG_PTR zero_bits)
{
    if (zero_bits == 0)
        return MI_NO_LIMIT;
    if (zero_bits <= 21)
        return 1ULL << (32 - zero_bits);
    if (zero_bits < 32)
        return 0;
    if (zero_bits >> 47)
        return MI_NO_LIMIT;
    return 2ULL << (63 - __builtin_clzll(zero_bits));
}
