/*
 * thread/machinecheck.c - #MC: the processor has found a fault in itself.
 *
 * SDM: 3B, 16.  Each of its units has a bank of MSRs that says what is wrong.
 * The kernel goes on where that leaves everything as it was: it can return to
 * the interrupted code (RIPV), no bank says that the processor's own state is
 * broken (PCC), and whatever could not be corrected is in data that nobody is
 * about to use (UC with S, without AR: "action optional").  Otherwise it is a
 * bugcheck, and the banks keep what they say for the firmware.
 *
 * #MC comes at any instruction, so it takes no lock and prints nothing: it
 * fills a ring of records, of which a DPC of the clock's is the only reader.
 * The clock fills it, too, and any processor: whoever has got a number fills
 * that record, and says so in it.
 *
 * NT: a bugcheck for all of them but corrected ones, by way of WHEA; the
 * action-optional ones it recovers from by taking the page out of use.
 */
#include <bug.h>
#include <arch/clock.h>
#include <arch/machinecheck.h>
#include <arch/processor.h>

#include <arch/thread.h>
#include <arch/trap.h>
#include <kd.h>
#include <x86/registers.h>

#define CPUID1_EDX_MCA (1U << 14)
#define RECORDS 16              /* a power of two */
#define NO_BANK 0xFFFFFFFF

/* Once a minute, as Windows does. */
#define LOOK_TICKS (60 * TICKS_PER_SECOND)

static ULONG banks SEALED;
static BOOLEAN has_recovery SEALED;

/* Numbers grow for ever; a record lies at its number modulo RECORDS. */
static struct {
    struct ki_machine_check records[RECORDS];
    volatile ULONG filled[RECORDS];     /* a record's number, and one */
    volatile ULONG written, read, lost;
} checks;

static KDPC dpc;

/* Machine checks survived; counted when the next one may come. */
ULONG ki_machine_check_count;

/* The bugcheck's second parameter. */
static struct ki_machine_check fatal;

static struct ki_machine_check read_bank(ULONG bank)
{
    struct ki_machine_check check = {
        .status = arch_read_msr(MSR_MC_STATUS(bank)),
        .bank = bank,
    };

    if (check.status & MC_STATUS_ADDRV)
        check.address = arch_read_msr(MSR_MC_ADDR(bank));
    if (check.status & MC_STATUS_MISCV)
        check.misc = arch_read_msr(MSR_MC_MISC(bank));
    return check;
}

static void record(const struct ki_machine_check *check)
{
    ULONG number;

    do {
        number = checks.written;
        if (number - checks.read == RECORDS) {
            __sync_fetch_and_add(&checks.lost, 1);
            return;
        }
    } while (!__sync_bool_compare_and_swap(&checks.written, number,
                                           number + 1));
    checks.records[number % RECORDS] = *check;
    __sync_synchronize();
    checks.filled[number % RECORDS] = number + 1;
}

/*
 * EN: this error was to raise #MC.  OVER: an earlier one is overwritten, and
 * what it was is not known.
 */
static BOOLEAN is_fatal(ULONGLONG status)
{
    if (BUG(mc_never_fatal))
        return FALSE;
    if (status & MC_STATUS_PCC)
        return TRUE;
    if (!(status & MC_STATUS_UC) || !(status & MC_STATUS_EN))
        return FALSE;
    return !has_recovery || (status & MC_STATUS_OVER) ||
           !(status & MC_STATUS_S) || (status & MC_STATUS_AR);
}

__attribute__((noreturn))
static void stop(KTRAP_FRAME *frame, const struct ki_machine_check *check)
{
    fatal = *check;
    KeGetCurrentThread()->TrapFrame = frame;
    KeBugCheckEx(MACHINE_CHECK_EXCEPTION, check->bank, (ULONG_PTR)&fatal,
                 check->status >> 32, (ULONG)check->status);
}

/* Every bank that says something is recorded and emptied. */
static void read_banks(KTRAP_FRAME *frame, ULONGLONG global)
{
    for (ULONG bank = 0; bank < banks; bank++) {
        struct ki_machine_check check = read_bank(bank);

        if (!(check.status & MC_STATUS_VAL))
            continue;
        check.global = global;
        check.rip = frame ? frame->Rip : 0;
        if (frame && is_fatal(check.status))
            stop(frame, &check);
        record(&check);
        arch_write_msr(MSR_MC_STATUS(bank), 0);
    }
}

/*
 * MCIP is cleared at the end: a #MC while it is set resets the machine, one
 * behind it finds this stack in use (entry/ist.asm).
 */
BOOLEAN ki_machine_check(KTRAP_FRAME *frame)
{
    const struct ki_machine_check unknown = { .bank = NO_BANK };
    ULONGLONG global = banks ? arch_read_msr(MSR_MCG_STATUS) : 0;

    KeGetCurrentPrcb()->MceActive = TRUE;
    read_banks(frame, global);
    if (!(global & MCG_STATUS_RIPV) && !BUG(mc_never_fatal))
        stop(frame, &unknown);
    ki_repeat_sti(frame);
    KeGetCurrentPrcb()->MceActive = FALSE;
    if (!BUG(mc_keeps_mcip))
        arch_write_msr(MSR_MCG_STATUS, 0);
    __sync_fetch_and_add(&ki_machine_check_count, 1);
    return ki_is_in_nmi(frame);
}

static void show(const struct ki_machine_check *check)
{
    DbgPrintEx(KD_KE_ID, DPFLTR_ERROR_LEVEL,
               "machine check: bank %u, status %016llx, address %016llx, "
               "misc %016llx, %s %016llx\n", check->bank, check->status,
               check->address, check->misc,
               check->global ? "continued at" : "found at", check->rip);
}

static void show_all(KDPC *this, void *context, void *argument1,
                     void *argument2)
{
    ULONG lost;

    (void)this, (void)context, (void)argument1, (void)argument2;
    for (; checks.filled[checks.read % RECORDS] == checks.read + 1;
         checks.read++)
        show(&checks.records[checks.read % RECORDS]);
    lost = __sync_lock_test_and_set(&checks.lost, 0);
    if (lost)
        DbgPrintEx(KD_KE_ID, DPFLTR_ERROR_LEVEL,
                   "machine check: %u more were not recorded\n", lost);
}

void ki_check_machine_checks(void)
{
    if (KeGetCurrentPrcb()->ClockInterrupts % LOOK_TICKS == 0)
        read_banks(NULL, 0);
    if (checks.read != checks.written)
        KeInsertQueueDpc(&dpc, NULL, NULL);
}

/* SDM: 3B, 16.3.2.1: bank 0 of Intel's older processors is the firmware's. */
static ULONG first_bank(void)
{
    ULONG signature = arch_cpuid(1, 0).eax;
    ULONG family = signature >> 8 & 0xF;
    ULONG model = (signature >> 12 & 0xF0) | (signature >> 4 & 0xF);

    return KeGetCurrentPrcb()->CpuVendor == VENDOR_INTEL && family == 6 &&
           model < 0x1A ? 1 : 0;
}

void ki_start_machine_checks(void)
{
    ULONGLONG capabilities;

    if (!banks)
        return;
    capabilities = arch_read_msr(MSR_MCG_CAP);
    if (capabilities & MCG_CAP_CTL_P)
        arch_write_msr(MSR_MCG_CTL, ~0ULL);
    read_banks(NULL, 0);
    for (ULONG bank = first_bank(); bank < banks; bank++)
        arch_write_msr(MSR_MC_CTL(bank), ~0ULL);
}

void ki_initialize_machine_checks(void)
{
    ULONGLONG capabilities;

    KeInitializeDpc(&dpc, show_all, NULL);
    (void)ke_set_target_processor_dpc(&dpc, 0);
    if (!(arch_cpuid(1, 0).edx & CPUID1_EDX_MCA))
        return;
    capabilities = arch_read_msr(MSR_MCG_CAP);
    banks = capabilities & MCG_CAP_COUNT;
    has_recovery = (capabilities & MCG_CAP_SER_P) != 0;
    ki_start_machine_checks();
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "MCA   %u banks%s\n", banks,
               has_recovery ? ", some errors can be survived" : "");
}
