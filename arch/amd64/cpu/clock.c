/*
 * cpu/clock.c - the clock interrupt.
 *
 * It comes 64 times a second, as Windows' does by default, from the local
 * APIC's timer in one of two modes:
 *
 *   deadline   tick n is due when the TSC reads start + n * period.  Nothing
 *              adds up, and a tick that comes late brings those it covers.
 *   periodic   the timer's own counter reloads itself.  Each interrupt is one
 *              tick, so those that were lost stay lost.
 *
 * The rates of TSC and timer are measured once against counter 2 of the PIT,
 * or where there is no PIT against what CPUID says.
 */
#include <bug.h>
#include <arch/apic.h>
#include <arch/clock.h>
#include <arch/machinecheck.h>
#include <arch/processor.h>

#include <init.h>
#include <kd.h>
#include <ke/ki.h>
#include <x86/apic.h>
#include <x86/registers.h>

#define CALIBRATION_MS 2
#define CALIBRATIONS 3          /* odd: the middle one counts */
#define POLL_LIMIT 10000000
#define CPUID_TSC_RATIO 0x15
#define CPUID_FREQUENCIES 0x16
#define CPUID1_ECX_TSC_DEADLINE (1U << 24)

static BOOLEAN deadline_mode SEALED;
static ULONG apic_period SEALED;        /* of the timer, one tick */
static ULONGLONG start SEALED;  /* the TSC at tick 0 */
static ULONGLONG period SEALED; /* of the TSC, one tick */
static ULONGLONG measured_from SEALED;  /* the TSC when the reference began */

/* Ticks in CALIBRATION_MS. */
struct rates {
    ULONGLONG tsc;
    ULONG apic;
};

static void begin_measuring(void)
{
    ki_write_apic(APIC_TIMER_INITIAL, ~0U);
    measured_from = arch_read_tsc();
}

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
    begin_measuring();
    for (ULONG polls = 0; polls < POLL_LIMIT; polls++) {
        if (arch_in8(PORT_61) & PORT_61_OUT2)
            return TRUE;
    }
    return FALSE;
}

/*
 * The TSC's rate by CPUID: leaf 15h has a crystal's rate and a ratio, where
 * both are told, leaf 16h the processor's base frequency in MHz.
 */
static ULONGLONG cpuid_tsc_frequency(void)
{
    ULONG leaves = arch_cpuid(0, 0).eax;

    if (leaves >= CPUID_TSC_RATIO) {
        struct arch_cpuid ratio = arch_cpuid(CPUID_TSC_RATIO, 0);

        if (ratio.eax && ratio.ebx && ratio.ecx)
            return (ULONGLONG)ratio.ecx * ratio.ebx / ratio.eax;
    }
    if (leaves >= CPUID_FREQUENCIES)
        return (arch_cpuid(CPUID_FREQUENCIES, 0).eax & 0xFFFF) * 1000000ULL;
    return 0;
}

/* The same time by the TSC, where CPUID tells its rate. */
static BOOLEAN wait_for_tsc(void)
{
    ULONGLONG frequency = cpuid_tsc_frequency();

    begin_measuring();
    while (arch_read_tsc() - measured_from < frequency * CALIBRATION_MS / 1000)
        arch_pause();
    return frequency != 0;
}

static BOOLEAN measure_once(BOOLEAN (*wait)(void), struct rates *rates)
{
    BOOLEAN good = wait();

    rates->tsc = arch_read_tsc() - measured_from;
    rates->apic = ~ki_read_apic(APIC_TIMER_CURRENT);
    return good && rates->apic >= CALIBRATION_MS;
}

static void sort(struct rates rates[CALIBRATIONS])
{
    for (ULONG i = 1; i < CALIBRATIONS; i++) {
        struct rates moved = rates[i];
        ULONG at = i;

        for (; at > 0 && rates[at - 1].tsc > moved.tsc; at--)
            rates[at] = rates[at - 1];
        rates[at] = moved;
    }
}

/*
 * An emulator whose host is busy, or firmware in SMM, stops the processor
 * anywhere: between the reference and a reading, too, and then the one measured
 * is far off.  The middle one of several is not.
 */
static BOOLEAN measure(BOOLEAN (*wait)(void), struct rates *rates)
{
    struct rates all[CALIBRATIONS];

    for (ULONG i = 0; i < CALIBRATIONS; i++) {
        if (!measure_once(wait, &all[i]))
            return FALSE;
    }
    sort(all);
    *rates = all[CALIBRATIONS / 2];
    return TRUE;
}

/* Both rates, ticks of 1/64 s each; what they were measured by. */
static const char *calibrate(void)
{
    const char *reference = "PIT";
    struct rates rates;

    if (!measure(wait_for_pit, &rates)) {
        reference = "CPUID";
        if (!measure(wait_for_tsc, &rates)) {
            DbgPrintEx(KD_KE_ID, DPFLTR_ERROR_LEVEL,
                       "APIC  nothing here tells how fast its timer is\n");
            KeBugCheckEx(HAL_INITIALIZATION_FAILED, 2, 0, 0, 0);
        }
    }
    apic_period = (ULONG)(rates.apic * (1000ULL / CALIBRATION_MS) /
                           TICKS_PER_SECOND);
    period = rates.tsc * (1000 / CALIBRATION_MS) / TICKS_PER_SECOND;
    return reference;
}

/* By what CPUID reports, and the boot option. */
static BOOLEAN choose_deadline(void)
{
    const char *option = init_option("clock");
    BOOLEAN has = (arch_cpuid(1, 0).ecx & CPUID1_ECX_TSC_DEADLINE) != 0;

    if (strcmp(option, "deadline") == 0 && !has)
        DbgPrintEx(KD_KE_ID, DPFLTR_WARNING_LEVEL,
                   "OPT   clock=deadline: this processor has no TSC deadline; "
                   "periodic\n");
    return has && strcmp(option, "periodic") != 0;
}

/* SDM: 3A, 11.5.4.1: the fence keeps the MSR's write behind the LVT's. */
static void start_timer(KPRCB *prcb)
{
    prcb->LastTick = (ULONG)((arch_read_tsc() - start) / period);
    if (deadline_mode) {
        ki_write_apic(APIC_LVT_TIMER, APIC_LVT_TSC_DEADLINE | CLOCK_VECTOR);
        __asm__ volatile("mfence" : : : "memory");
        arch_write_msr(MSR_TSC_DEADLINE,
                       start + (prcb->LastTick + 1) * period);
    } else {
        ki_write_apic(APIC_LVT_TIMER, APIC_LVT_PERIODIC | CLOCK_VECTOR);
        ki_write_apic(APIC_TIMER_INITIAL, apic_period);
    }
}

/* Ticks and the performance counter agree: 64 periods are one second. */
void ki_join_clock(void)
{
    KPRCB *prcb = KeGetCurrentPrcb();

    prcb->TscFrequency = period * TICKS_PER_SECOND;
    prcb->MHz = (ULONG)(prcb->TscFrequency / 1000000);
    prcb->InitialApicId = ki_read_apic(APIC_ID) >> (ki_is_x2apic() ? 0 : 24);
    start_timer(prcb);
}

void ki_start_clock(void)
{
    const char *reference;

    ki_enable_apic();
    ki_write_apic(APIC_LVT_TIMER, APIC_LVT_MASKED | CLOCK_VECTOR);
    reference = calibrate();
    deadline_mode = choose_deadline();
    start = arch_read_tsc();
    ki_join_clock();
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "APIC  %s, timer at vector D1h, %u ticks a second, %s by the "
               "%s; TSC %u MHz\n",
               ki_is_x2apic() ? "x2APIC" : "xAPIC", TICKS_PER_SECOND,
               deadline_mode ? "TSC deadline" : "periodic", reference,
               KeGetCurrentPrcb()->MHz);
}

void KeStallExecutionProcessor(ULONG microseconds)
{
    ULONGLONG begun = arch_read_tsc();
    ULONGLONG ticks = KeGetCurrentPrcb()->TscFrequency * microseconds / 1000000;

    while (arch_read_tsc() - begun <= ticks)
        arch_pause();
}

/*
 * Ticks since the processor's last one, and when the latest was due; the next
 * one is asked for.  0: the interrupt came before its time.
 */
static ULONG count_ticks(KPRCB *prcb, ULONGLONG *due)
{
    ULONGLONG tick;
    ULONG passed;

    *due = arch_read_tsc();
    if (!deadline_mode)
        return 1;
    tick = (*due - start) / period;
    passed = (ULONG)tick - prcb->LastTick;
    *due = start + tick * period;
    arch_write_msr(MSR_TSC_DEADLINE, *due + period);
    return passed;
}

/* NT: one processor is the clock's owner and keeps the time for all. */
void ki_clock_interrupt(KTRAP_FRAME *frame)
{
    KPRCB *prcb = KeGetCurrentPrcb();
    ULONGLONG due;
    ULONG ticks = count_ticks(prcb, &due);

    prcb->ClockInterrupts++;
    if (!BUG(pins_unchecked_by_clock))
        ki_check_pinned_registers();
    ki_check_machine_checks();
    if (ticks) {
        prcb->LastTick += ticks;
        if (prcb->Number == 0)
            KeUpdateSystemTime(ticks, due);
        ki_check_timers(prcb);
        KeUpdateRunTime((frame->SegCs & 3) != 0, prcb->DpcRoutineActive);
    }
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
