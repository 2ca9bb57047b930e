/*
 * ke/time.c - time: ticks, interrupt time, system time, performance counter.
 *
 * The clock interrupt is the only writer; readers need no lock because a
 * KSYSTEM_TIME is written high half twice (nt/kuser.h).  The performance
 * counter is the TSC, so it does not depend on ticks.
 */
#include "ki.h"

#include <arch/clock.h>

#define TIME_INCREMENT 156250           /* 100-ns units: 1/64 s */
#define TICK_COUNT_MULTIPLIER 0x0FA00000 /* 15.625 ms << 24 */

/* The TSC at the latest tick; 0 while it and InterruptTime change. */
static volatile ULONGLONG tick_tsc = 1;

/* SystemTime - InterruptTime, which run at one rate. */
LARGE_INTEGER KeBootTime SEALED;

struct ke_boot_clock ke_boot_clock;

/*
 * Writer: High2Time first.  A reader that got the new LowPart with an old
 * High1Time finds the new High2Time, which differs if the high half moved.
 */
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

/* Reader: the other way round, High1Time first, until both halves agree. */
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

static void advance(volatile KSYSTEM_TIME *time, volatile KSYSTEM_TIME *xp,
                    LONGLONG by)
{
    write_both(time, xp, read_time(time) + by);
}

void KeUpdateSystemTime(ULONG ticks, ULONGLONG tsc)
{
    KUSER_SHARED_DATA *shared = SharedUserData;
    struct kuser_shared_data_xp *xp = ke_shared_data_xp;
    LONGLONG by = (LONGLONG)ticks * TIME_INCREMENT;

    tick_tsc = 0;
    advance(&shared->InterruptTime, &xp->InterruptTime, by);
    tick_tsc = tsc;
    advance(&shared->SystemTime, &xp->SystemTime, by);
    advance(&shared->TickCount, &xp->TickCount, ticks);
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
    KeBootTime.QuadPart = read_time(&shared->SystemTime) -
                          read_time(&shared->InterruptTime);
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

/* The part of a tick that the TSC has gone; less than one: it may be late. */
static ULONGLONG since_tick(ULONGLONG tsc, ULONGLONG tick)
{
    ULONGLONG period = KeGetCurrentPrcb()->TscFrequency / TICKS_PER_SECOND;
    ULONGLONG gone = tsc > tick ? tsc - tick : 0;

    return gone < period ? gone * TIME_INCREMENT / period
                         : TIME_INCREMENT - 1;
}

/* Never goes back, and never beyond what the next tick will say. */
ULONGLONG KeQueryInterruptTimePrecise(ULONGLONG *counter)
{
    ULONGLONG time, tick;

    do {
        time = KeQueryInterruptTime();
        tick = tick_tsc;
        *counter = arch_read_tsc();
    } while (!tick || time != KeQueryInterruptTime() || tick != tick_tsc);
    return time + since_tick(*counter, tick);
}

/*
 * From now means from here inside the tick, so that the wait is never shorter.
 * Nothing sets the system time: an absolute time stays where it is.
 */
ULONGLONG ke_due_time(const LARGE_INTEGER *timeout)
{
    ULONGLONG counter;

    if (timeout->QuadPart < 0)
        return KeQueryInterruptTimePrecise(&counter) -
               (ULONGLONG)timeout->QuadPart;
    return timeout->QuadPart > KeBootTime.QuadPart
               ? (ULONGLONG)(timeout->QuadPart - KeBootTime.QuadPart) : 0;
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
