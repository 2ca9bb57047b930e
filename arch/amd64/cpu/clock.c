/*
 * cpu/clock.c - the clock interrupt.
 *
 * The local APIC's timer ticks 64 times a second, as Windows' clock does by
 * default; its rate and the TSC's are measured once against counter 2 of the
 * PIT, or where there is no PIT against what CPUID says.
 */
#include <arch/apic.h>
#include <arch/clock.h>

#include <kd.h>
#include <ke/ki.h>
#include <x86/apic.h>

#define CALIBRATION_MS 10
#define TICKS_PER_SECOND 64
#define POLL_LIMIT 10000000
#define CPUID_FREQUENCIES 0x16

/*
 * Let counter 2 of the PIT run down once.  FALSE: there is none (its output
 * is high before it has begun), or it stands still.
 */
static BOOLEAN wait_for_pit(void)
{
    ULONG count = PIT_HZ * CALIBRATION_MS / 1000;
    UCHAR gate = arch_in8(PORT_61) & ~(PORT_61_SPEAKER | PORT_61_GATE2);

    arch_out8(PORT_61, gate);
    arch_out8(PIT_COMMAND, PIT_COUNTER2_ONE_SHOT);
    arch_out8(PIT_COUNTER2, (UCHAR)count);
    arch_out8(PIT_COUNTER2, (UCHAR)(count >> 8));
    if (arch_in8(PORT_61) & PORT_61_OUT2)
        return FALSE;
    arch_out8(PORT_61, gate | PORT_61_GATE2);
    for (ULONG polls = 0; polls < POLL_LIMIT; polls++) {
        if (arch_in8(PORT_61) & PORT_61_OUT2)
            return TRUE;
    }
    return FALSE;
}

/* The same time by the TSC, where CPUID tells its rate (leaf 16h, in MHz). */
static BOOLEAN wait_for_tsc(void)
{
    ULONGLONG end = arch_read_tsc();
    ULONG mhz = 0;

    if (arch_cpuid(0, 0).eax >= CPUID_FREQUENCIES)
        mhz = arch_cpuid(CPUID_FREQUENCIES, 0).eax & 0xFFFF;
    end += (ULONGLONG)mhz * 1000 * CALIBRATION_MS;
    while (arch_read_tsc() < end)
        arch_pause();
    return mhz != 0;
}

/* Ticks of the APIC's timer and of the TSC in CALIBRATION_MS. */
static BOOLEAN measure(BOOLEAN (*wait)(void), ULONG *apic_ticks,
                       ULONGLONG *tsc_ticks)
{
    ULONGLONG start;
    BOOLEAN good;

    ki_write_apic(APIC_TIMER_INITIAL, ~0U);
    start = arch_read_tsc();
    good = wait();
    *tsc_ticks = arch_read_tsc() - start;
    *apic_ticks = ~ki_read_apic(APIC_TIMER_CURRENT);
    return good && *apic_ticks >= CALIBRATION_MS;
}

void ki_start_clock(void)
{
    KPRCB *prcb = KeGetCurrentPrcb();
    const char *reference = "PIT";
    ULONGLONG tsc;
    ULONG ticks;

    ki_enable_apic();
    ki_write_apic(APIC_LVT_TIMER, APIC_LVT_MASKED | CLOCK_VECTOR);
    if (!measure(wait_for_pit, &ticks, &tsc)) {
        reference = "CPUID";
        if (!measure(wait_for_tsc, &ticks, &tsc)) {
            DbgPrint("APIC  nothing here tells how fast its timer is\n");
            KeBugCheckEx(HAL_INITIALIZATION_FAILED, 2, 0, 0, 0);
        }
    }
    prcb->TscFrequency = tsc * (1000 / CALIBRATION_MS);
    prcb->MHz = (ULONG)(prcb->TscFrequency / 1000000);
    prcb->InitialApicId = ki_read_apic(APIC_ID) >> (ki_is_x2apic() ? 0 : 24);
    ki_write_apic(APIC_LVT_TIMER, APIC_LVT_PERIODIC | CLOCK_VECTOR);
    ki_write_apic(APIC_TIMER_INITIAL,
                  (ULONG)(ticks * (1000ULL / CALIBRATION_MS) /
                          TICKS_PER_SECOND));
    DbgPrint("APIC  %s, timer at vector D1h, %u ticks a second by the %s; "
             "TSC %u MHz\n", ki_is_x2apic() ? "x2APIC" : "xAPIC",
             TICKS_PER_SECOND, reference, prcb->MHz);
}

void ki_clock_interrupt(KTRAP_FRAME *frame)
{
    KeUpdateSystemTime();
    KeUpdateRunTime(frame->SegCs & 1, KeGetCurrentPrcb()->DpcRoutineActive);
    ki_request_waiting_dpcs();
    ki_end_interrupt();
}

static UCHAR read_rtc(UCHAR index)
{
    UCHAR bcd;

    arch_out8(RTC_INDEX, index);
    bcd = arch_in8(RTC_DATA);
    return (bcd >> 4) * 10 + (bcd & 15);
}

/*
 * The battery clock in 100-ns units since 1601.  Read until two readings
 * agree; assumes BCD and 24 hours, which is what PCs have.
 */
LONGLONG arch_read_wall_clock(void)
{
    static const USHORT days_before[] = { 0, 31, 59, 90, 120, 151, 181, 212,
                                          243, 273, 304, 334 };
    UCHAR now[6], again[6];
    ULONG year, month;
    LONGLONG days;

    do {
        for (ULONG i = 0; i < 6; i++)
            now[i] = read_rtc((UCHAR[]){ 0, 2, 4, 7, 8, 9 }[i]);
        for (ULONG i = 0; i < 6; i++)
            again[i] = read_rtc((UCHAR[]){ 0, 2, 4, 7, 8, 9 }[i]);
    } while (memcmp(now, again, sizeof now) != 0);
    year = 2000 + now[5];
    month = now[4] >= 1 && now[4] <= 12 ? now[4] : 1;
    days = (year - 1601) * 365LL + (year - 1601) / 4 - (year - 1601) / 100 +
           (year - 1601) / 400 + days_before[month - 1] + now[3] - 1;
    if (month > 2 && year % 4 == 0)
        days++;
    return ((days * 24 + now[2]) * 60 + now[1]) * 60 * 10000000LL +
           now[0] * 10000000LL;
}
