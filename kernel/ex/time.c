/*
 * ex/time.c - the system time and the performance counter.
 *
 * To ask for them is of little use to a real program: KUSER_SHARED_DATA shows
 * ring 3 the system time without a call.  As calls they are the shortest ones
 * that write to user memory.
 */
#include <ke.h>
#include <mm.h>
#include <nt/ntapi.h>

NTSTATUS NtQuerySystemTime(LARGE_INTEGER *SystemTime)
{
    LARGE_INTEGER now;
    NTSTATUS status = mm_probe_for_write(SystemTime, sizeof(now),
                                         sizeof(ULONG));

    if (!NT_SUCCESS(status))
        return status;
    KeQuerySystemTime(&now);
    return mm_copy_to_user(SystemTime, &now, sizeof(now));
}

/* Nobody here has SeSystemtimePrivilege, and pointers are checked before. */
NTSTATUS NtSetSystemTime(LARGE_INTEGER *SystemTime,
                         LARGE_INTEGER *PreviousTime)
{
    LARGE_INTEGER time;
    NTSTATUS status = STATUS_SUCCESS;

    if (PreviousTime != NULL)
        status = mm_probe_for_write(PreviousTime, sizeof(*PreviousTime),
                                    sizeof(ULONG));
    if (NT_SUCCESS(status) && SystemTime != NULL)
        status = mm_probe_for_read(SystemTime, sizeof(time), sizeof(ULONG));
    if (NT_SUCCESS(status) && SystemTime != NULL)
        status = mm_copy_from_user(&time, SystemTime, sizeof(time));
    return NT_SUCCESS(status) ? STATUS_PRIVILEGE_NOT_HELD : status;
}

NTSTATUS NtQueryPerformanceCounter(LARGE_INTEGER *PerformanceCounter,
                                   LARGE_INTEGER *Frequency)
{
    LARGE_INTEGER counter, frequency;
    NTSTATUS status = mm_probe_for_write(PerformanceCounter, sizeof(counter),
                                         sizeof(ULONG));

    if (NT_SUCCESS(status) && Frequency != NULL)
        status = mm_probe_for_write(Frequency, sizeof(frequency),
                                    sizeof(ULONG));
    if (!NT_SUCCESS(status))
        return status;

    counter = KeQueryPerformanceCounter(&frequency);
    status = mm_copy_to_user(PerformanceCounter, &counter, sizeof(counter));
    if (NT_SUCCESS(status) && Frequency != NULL)
        status = mm_copy_to_user(Frequency, &frequency, sizeof(frequency));
    return status;
}
