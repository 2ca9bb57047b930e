/*
 * time.c - the clock, from the shared page and by a system call.
 */
#include "shell.h"

#define TICKS_PER_SECOND 10000000ULL            /* of 100 ns */

static ULONGLONG interrupt_time(void)
{
    const volatile KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;
    LONG high;
    ULONG low;

    do {
        high = shared->InterruptTime.High1Time;
        low = shared->InterruptTime.LowPart;
    } while (high != shared->InterruptTime.High2Time);
    return (ULONGLONG)high << 32 | low;
}

void command_time(int count, const struct word *words)
{
    ULONGLONG up = interrupt_time();
    LARGE_INTEGER now;
    TIME_FIELDS fields;
    NTSTATUS status = NtQuerySystemTime(&now);

    (void)count, (void)words;
    if (!NT_SUCCESS(status)) {
        print_failure("NtQuerySystemTime", status);
        return;
    }
    RtlTimeToTimeFields(&now, &fields);
    print("%04d-%02d-%02d %02d:%02d:%02d.%03d UTC, up for %llu.%02llu s\n",
          fields.Year, fields.Month, fields.Day, fields.Hour, fields.Minute,
          fields.Second, fields.Milliseconds, up / TICKS_PER_SECOND,
          up % TICKS_PER_SECOND / (TICKS_PER_SECOND / 100));
}
