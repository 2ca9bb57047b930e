/*
 * wow64/sysinfo.c - NtQuerySystemInformation for 32-bit code.
 *
 * SystemBasicInformation has addresses in it.  XP's performance counters are
 * the beginning of Windows 10's, so only the lengths differ.  The list of
 * processes has no 32-bit form.  All other
 * classes have nothing in them whose size depends on the caller.
 */
#include "wow64p.h"

#include <nt/ntapi.h>

#define AREA ((void *)wow64p_thunk_area())

_Static_assert(offsetof(SYSTEM_PERFORMANCE_INFORMATION, CcTotalDirtyPages) ==
               sizeof(SYSTEM_PERFORMANCE_INFORMATION32), "XP's counters");

/* The service has said how much it has; the caller hears of its own form. */
static NTSTATUS give_length(NTSTATUS status, ULONG size, ULONG *return_length)
{
    if (return_length == NULL ||
        (!NT_SUCCESS(status) && status != STATUS_INFO_LENGTH_MISMATCH))
        return status;
    if (!NT_SUCCESS(mm_copy_to_user(return_length, &size, sizeof size)))
        return STATUS_ACCESS_VIOLATION;
    return status;
}

static void narrow_basic(const SYSTEM_BASIC_INFORMATION *from,
                         SYSTEM_BASIC_INFORMATION32 *to)
{
    to->TimerResolution = from->TimerResolution;
    to->PageSize = from->PageSize;
    to->NumberOfPhysicalPages = from->NumberOfPhysicalPages;
    to->LowestPhysicalPageNumber = from->LowestPhysicalPageNumber;
    to->HighestPhysicalPageNumber = from->HighestPhysicalPageNumber;
    to->AllocationGranularity = from->AllocationGranularity;
    to->MinimumUserModeAddress = wow64p_narrow(from->MinimumUserModeAddress);
    to->MaximumUserModeAddress = WOW64_HIGHEST_USER_ADDRESS;
    to->ActiveProcessorsAffinityMask =
        (ULONG)from->ActiveProcessorsAffinityMask;
    to->NumberOfProcessors = from->NumberOfProcessors;
}

static NTSTATUS query_basic(void *buffer, ULONG length, ULONG *return_length)
{
    SYSTEM_BASIC_INFORMATION from;
    SYSTEM_BASIC_INFORMATION32 to = { 0 };
    ULONG length64 = length == sizeof to ? sizeof from : 0;
    NTSTATUS status = NtQuerySystemInformation(SystemBasicInformation, AREA,
                                               length64, return_length);

    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&from, AREA, sizeof from);
    if (NT_SUCCESS(status)) {
        narrow_basic(&from, &to);
        status = mm_copy_to_user(buffer, &to, sizeof to);
    }
    return give_length(status, sizeof to, return_length);
}

static NTSTATUS query_performance(void *buffer, ULONG length,
                                  ULONG *return_length)
{
    const ULONG size = sizeof(SYSTEM_PERFORMANCE_INFORMATION32);
    NTSTATUS status = NtQuerySystemInformation(SystemPerformanceInformation,
                                               buffer,
                                               length < size ? length : size,
                                               return_length);

    return give_length(status, size, return_length);
}

NTSTATUS wow64_NtQuerySystemInformation(ULONG class, void *buffer,
                                        ULONG length, ULONG *return_length)
{
    NTSTATUS status = mm_probe_for_write(buffer, length, sizeof(ULONG));

    if (!NT_SUCCESS(status))
        return status;
    switch (class) {
    case SystemBasicInformation:
        return query_basic(buffer, length, return_length);
    case SystemPerformanceInformation:
        return query_performance(buffer, length, return_length);
    case SystemProcessInformation:
    case SystemHandleInformation:
    case SystemExtendedHandleInformation:
        return STATUS_INVALID_INFO_CLASS;
    default:
        return NtQuerySystemInformation(class, buffer, length, return_length);
    }
}
