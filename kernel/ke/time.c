/*
 * ke/time.c - time: ticks, interrupt time, system time, performance counter.
 *
 * The clock interrupt is the only writer; readers need no lock because a
 * KSYSTEM_TIME is written high half twice (nt/kuser.h).  The performance
 * counter is the TSC, so it does not depend on ticks.
 */
#include <arch/clock.h>
#include <ke.h>

#define TIME_INCREMENT 156250           /* 100-ns units: 1/64 s */
#define TICK_COUNT_MULTIPLIER 0x0FA00000 /* 15.625 ms << 24 */

static void write_time(volatile KSYSTEM_TIME *time, LONGLONG value)
{
    time->High2Time = (LONG)(value >> 32);
    time->LowPart = (ULONG)value;
    time->High1Time = (LONG)(value >> 32);
}

/* The same time in the shared pages of 64-bit and of 32-bit code. */
static void write_both(volatile KSYSTEM_TIME *time, volatile KSYSTEM_TIME *xp,
                       LONGLONG value)
{
    write_time(time, value);
    write_time(xp, value);
}

static LONGLONG read_time(const volatile KSYSTEM_TIME *time)
{
    LONG high;
    ULONG low;

    do {
        high = time->High1Time;
        low = time->LowPart;
    } while (high != time->High2Time);
    return (LONGLONG)high << 32 | low;
}

void KeUpdateSystemTime(void)
{
    KUSER_SHARED_DATA *shared = SharedUserData;
    struct kuser_shared_data_xp *xp = ke_shared_data_xp;

    write_both(&shared->InterruptTime, &xp->InterruptTime,
               read_time(&shared->InterruptTime) + TIME_INCREMENT);
    write_both(&shared->SystemTime, &xp->SystemTime,
               read_time(&shared->SystemTime) + TIME_INCREMENT);
    write_both(&shared->TickCount, &xp->TickCount,
               read_time(&shared->TickCount) + 1);
    shared->TickCountLowDeprecated = shared->TickCount.LowPart;
    xp->TickCountLow = shared->TickCount.LowPart;
}

void ke_initialize_time(void)
{
    KUSER_SHARED_DATA *shared = SharedUserData;
    struct kuser_shared_data_xp *xp = ke_shared_data_xp;

    shared->TickCountMultiplier = TICK_COUNT_MULTIPLIER;
    xp->TickCountMultiplier = TICK_COUNT_MULTIPLIER;
    write_both(&shared->SystemTime, &xp->SystemTime, arch_read_wall_clock());
    shared->QpcFrequency = (LONGLONG)KeGetCurrentPrcb()->TscFrequency;
}

void KeQuerySystemTime(LARGE_INTEGER *time)
{
    time->QuadPart = read_time(&SharedUserData->SystemTime);
}

ULONGLONG KeQueryInterruptTime(void)
{
    return (ULONGLONG)read_time(&SharedUserData->InterruptTime);
}

LARGE_INTEGER KeQueryPerformanceCounter(LARGE_INTEGER *frequency)
{
    if (frequency)
        frequency->QuadPart = (LONGLONG)KeGetCurrentPrcb()->TscFrequency;
    return (LARGE_INTEGER){ .QuadPart = (LONGLONG)arch_read_tsc() };
}

ULONG KeQueryTimeIncrement(void)
{
    return TIME_INCREMENT;
}
