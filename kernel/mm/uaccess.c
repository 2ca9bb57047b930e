/*
 * mm/uaccess.c - the only C that touches user memory.
 *
 * A service copies what its caller points to into kernel memory once, decides
 * on the copy, and copies results out.  The range is checked to lie in user
 * space; what happens between the check and the copy does not matter, because
 * a fault in the copy itself is a status (usercopy.asm).
 *
 * A copy may be preempted, and its fault may wait for the lock of the address
 * space: whoever holds that does not copy.
 */
#include "mi.h"

#include <bug.h>

#define STRING_TAG 0x72745355               /* "UStr" */

const ULONGLONG MmUserProbeAddress = MM_USER_PROBE_ADDRESS;

static BOOLEAN in_user_space(const void *address, SIZE_T size)
{
    ULONG_PTR start = (ULONG_PTR)address;

    if (BUG(pointers_not_probed))
        return TRUE;
    return start + size >= start && start + size <= MM_USER_PROBE_ADDRESS;
}

NTSTATUS mm_copy_from_mode(KPROCESSOR_MODE mode, void *to, const void *from,
                           SIZE_T size)
{
    if (size == 0)
        return STATUS_SUCCESS;
    if (mode == KernelMode) {
        memcpy(to, from, size);
        return STATUS_SUCCESS;
    }
    if (!in_user_space(from, size))
        return STATUS_ACCESS_VIOLATION;
    ASSERT(!mi_owns_space());
    return arch_copy_user(to, from, size);
}

NTSTATUS mm_copy_to_mode(KPROCESSOR_MODE mode, void *to, const void *from,
                         SIZE_T size)
{
    if (size == 0)
        return STATUS_SUCCESS;
    if (mode == KernelMode) {
        memcpy(to, from, size);
        return STATUS_SUCCESS;
    }
    if (!in_user_space(to, size))
        return STATUS_ACCESS_VIOLATION;
    ASSERT(!mi_owns_space());
    return arch_copy_user(to, from, size);
}

NTSTATUS mm_copy_from_user(void *to, const void *from, SIZE_T size)
{
    return mm_copy_from_mode(ExGetPreviousMode(), to, from, size);
}

NTSTATUS mm_copy_to_user(void *to, const void *from, SIZE_T size)
{
    return mm_copy_to_mode(ExGetPreviousMode(), to, from, size);
}

static BOOLEAN is_present(ULONG_PTR start, SIZE_T size)
{
    for (ULONG_PTR page = ALIGN_DOWN(start, PAGE_SIZE); page < start + size;
         page += PAGE_SIZE) {
        if (!MmIsAddressValid((void *)page))
            return FALSE;
    }
    return TRUE;
}

/* At DISPATCH_LEVEL nobody takes a page away between the look and the copy. */
NTSTATUS mm_peek_user(void *to, const void *from, SIZE_T size)
{
    NTSTATUS status = STATUS_ACCESS_VIOLATION;
    KIRQL irql;

    if (size == 0)
        return STATUS_SUCCESS;
    if (!in_user_space(from, size))
        return status;
    irql = KfRaiseIrql(DISPATCH_LEVEL);
    if (is_present((ULONG_PTR)from, size))
        status = arch_copy_user(to, from, size);
    KfLowerIrql(irql);
    return status;
}

NTSTATUS mm_copy_kernel(void *to, const void *from, SIZE_T size)
{
    ULONG_PTR start = (ULONG_PTR)from;

    if (start < MI_SYSTEM_RANGE_START || start + size < start)
        return STATUS_ACCESS_VIOLATION;
    if (!is_present(start, size))
        return STATUS_ACCESS_VIOLATION;
    memcpy(to, from, size);
    return STATUS_SUCCESS;
}

NTSTATUS mm_probe_for_read(const void *address, SIZE_T size, ULONG alignment)
{
    if (size == 0 || ExGetPreviousMode() == KernelMode)
        return STATUS_SUCCESS;
    if ((ULONG_PTR)address & (alignment - 1))
        return STATUS_DATATYPE_MISALIGNMENT;
    return in_user_space(address, size) ? STATUS_SUCCESS
                                        : STATUS_ACCESS_VIOLATION;
}

NTSTATUS mm_probe_for_write(void *address, SIZE_T size, ULONG alignment)
{
    NTSTATUS status = mm_probe_for_read(address, size, alignment);
    ULONG_PTR at = (ULONG_PTR)address;
    ULONG_PTR last = at + size - 1;

    if (size == 0 || ExGetPreviousMode() == KernelMode)
        return STATUS_SUCCESS;
    ASSERT(!mi_owns_space());
    while (NT_SUCCESS(status) && at <= last) {
        if (!BUG(write_probe_without_touch))
            status = arch_touch_user((void *)at);
        at = ALIGN_DOWN(at, PAGE_SIZE) + PAGE_SIZE;
    }
    return status;
}

NTSTATUS mm_capture_string(const UNICODE_STRING *from, UNICODE_STRING *result)
{
    UNICODE_STRING string;
    NTSTATUS status = mm_copy_from_user(&string, from, sizeof string);

    *result = (UNICODE_STRING){ 0 };
    if (!NT_SUCCESS(status) || string.Length == 0)
        return status;
    if (string.Length & 1)
        return STATUS_OBJECT_NAME_INVALID;
    result->Buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                     string.Length + sizeof(WCHAR),
                                     STRING_TAG);
    if (!result->Buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (BUG(string_fetched_twice))
        mm_copy_from_user(&string, from, sizeof string);
    status = mm_probe_for_read(string.Buffer, string.Length, sizeof(WCHAR));
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(result->Buffer, string.Buffer,
                                   string.Length);
    if (!NT_SUCCESS(status)) {
        mm_free_string(result);
        return status;
    }
    result->Length = string.Length;
    result->MaximumLength = string.Length;
    return STATUS_SUCCESS;
}

void mm_free_string(UNICODE_STRING *string)
{
    if (string->Buffer)
        ExFreePoolWithTag(string->Buffer, STRING_TAG);
    *string = (UNICODE_STRING){ 0 };
}
