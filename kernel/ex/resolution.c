/*
 * ex/resolution.c - the clock's period, which a program may ask to be shorter.
 *
 * This clock has one period only.  What a process asked for is remembered, so
 * that it can be taken back.
 */
#include "exp.h"

NTSTATUS NtQueryTimerResolution(ULONG *MaximumTime, ULONG *MinimumTime,
                                ULONG *CurrentTime)
{
    ULONG *const places[] = { MaximumTime, MinimumTime, CurrentTime };
    ULONG increment = KeQueryTimeIncrement();
    NTSTATUS status = STATUS_SUCCESS;

    for (ULONG i = 0; i < ARRAY_SIZE(places) && NT_SUCCESS(status); i++)
        status = mm_probe_for_write(places[i], sizeof(ULONG), sizeof(ULONG));
    for (ULONG i = 0; i < ARRAY_SIZE(places) && NT_SUCCESS(status); i++)
        status = mm_copy_to_user(places[i], &increment, sizeof increment);
    return status;
}

/* Whether the process had asked for one before. */
static BOOLEAN note_request(BOOLEAN set)
{
    volatile ULONG *flags = &PsGetCurrentProcess()->Flags;
    const ULONG bit = PS_PROCESS_FLAGS_SET_TIMER_RESOLUTION;
    ULONG before = set ? __sync_fetch_and_or(flags, bit)
                       : __sync_fetch_and_and(flags, ~bit);

    return (before & bit) != 0;
}

NTSTATUS NtSetTimerResolution(ULONG DesiredTime, BOOLEAN SetResolution,
                              ULONG *ActualTime)
{
    ULONG increment = KeQueryTimeIncrement();
    NTSTATUS status = mm_probe_for_write(ActualTime, sizeof increment,
                                         sizeof increment);
    BOOLEAN requested;

    (void)DesiredTime;
    if (!NT_SUCCESS(status))
        return status;
    requested = note_request(SetResolution != FALSE);
    exp_return_result(ActualTime, &increment, sizeof increment);
    return SetResolution || requested ? STATUS_SUCCESS
                                      : STATUS_TIMER_RESOLUTION_NOT_SET;
}
