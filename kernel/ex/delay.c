/*
 * ex/delay.c - NtDelayExecution: a wait for nothing but time.
 */
#include "exp.h"

NTSTATUS NtDelayExecution(BOOLEAN Alertable, LARGE_INTEGER *DelayInterval)
{
    LARGE_INTEGER interval;
    NTSTATUS status = mm_probe_for_read(DelayInterval, sizeof interval,
                                        sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&interval, DelayInterval, sizeof interval);
    if (!NT_SUCCESS(status))
        return status;
    return KeDelayExecutionThread(ExGetPreviousMode(), Alertable != FALSE,
                                  &interval);
}
