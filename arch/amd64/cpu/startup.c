/*
 * cpu/startup.c - how another processor is started (SDM: 3A, 9.4.4).
 *
 *   ki_start_processor     tells it by INIT and start-up IPIs where to begin,
 *                          and waits until it is there
 *   entry/startup.asm      from real mode to long mode, in a page below 1 MiB
 *   ki_processor_startup   its tables, its switches, its APIC, its clock; then
 *                          it is idle, and takes part in everything
 */
#include <arch/processor.h>

#include <arch/apic.h>
#include <arch/entry.h>
#include <arch/machinecheck.h>
#include <arch/startup.h>
#include <ke/ki.h>
#include <loader.h>
#include <mm.h>
#include <mm/mi.h>
#include <x86/apic.h>
#include <x86/registers.h>

#define TABLE_BITS (MI_PTE_VALID | MI_PTE_READ_WRITE | MI_PTE_ACCESSED)
#define FIRST_KERNEL_SLOT 256

/* SDM: 3A, 9.4.4.1 */
#define STARTUP_WAIT 200                /* microseconds */
#define LONGEST_WAIT 10000000           /* an emulator's host may be busy */

/* Code and data, then the tables that lead there. */
enum { PAGE_CODE, PAGE_TOP, PAGE_DIRECTORIES, PAGE_DIRECTORY };

static ULONGLONG startup_page SEALED;   /* physical */
static UCHAR *startup SEALED;           /* where they are seen */
static struct ki_startup *startup_data SEALED;

static volatile BOOLEAN arrived;

#define ROUNDS 16

/*
 * Two TSCs are compared: who has the turn (the starter's are even) reads its
 * own, which must not be below what the other one has just read.
 */
static struct {
    volatile ULONG turn;
    volatile ULONGLONG read, behind;
} tsc;

/* Others' memory types than the boot processor's were put right. */
static volatile ULONG mtrr_repairs;

/* ---- the page below 1 MiB ---- */

static ULONGLONG *table(ULONG page)
{
    return (ULONGLONG *)(startup + page * PAGE_SIZE);
}

/* The kernel's half is everybody's; the self map is not needed. */
static void fill_tables(void)
{
    const MMPTE *top = (const MMPTE *)mi_pxe_window;

    for (ULONG slot = FIRST_KERNEL_SLOT; slot < MI_ENTRIES; slot++)
        table(PAGE_TOP)[slot] = top[slot].u.Long;
    table(PAGE_TOP)[0] =
        (startup_page + PAGE_DIRECTORIES * PAGE_SIZE) | TABLE_BITS;
    table(PAGE_DIRECTORIES)[0] =
        (startup_page + PAGE_DIRECTORY * PAGE_SIZE) | TABLE_BITS;
    table(PAGE_DIRECTORY)[0] = TABLE_BITS | MI_PTE_LARGE_PAGE;
}

BOOLEAN ki_prepare_startup(ULONGLONG pages)
{
    SIZE_T code = (SIZE_T)(ki_startup_data - ki_startup_code);

    startup_page = pages;
    startup = MmMapIoSpace(pages, LOADER_STARTUP_PAGES * PAGE_SIZE, MmCached);
    if (!startup)
        return FALSE;
    memset(startup, 0, LOADER_STARTUP_PAGES * PAGE_SIZE);
    fill_tables();
    memcpy(startup, ki_startup_code, code);
    startup_data = (struct ki_startup *)(startup + code);
    *startup_data = (struct ki_startup){
        .gdt = { 0, KI_STARTUP_CODE64 },
        .gdt_limit = sizeof startup_data->gdt - 1,
        .gdt_base = (ULONG)(startup_page + code +
                            offsetof(struct ki_startup, gdt)),
        .offset = (ULONG)(startup_page +
                          (ULONG_PTR)(ki_startup_long - ki_startup_code)),
        .selector = sizeof startup_data->gdt[0],
        .directory = (ULONG)(startup_page + PAGE_TOP * PAGE_SIZE),
        .entry = ki_processor_startup,
    };
    return TRUE;
}

/* ---- the TSCs of two ---- */

static void compare_tsc(ULONG first_turn)
{
    for (ULONG turn = first_turn; turn < 2 * ROUNDS; turn += 2) {
        ULONGLONG now;

        while (tsc.turn != turn)
            arch_pause();
        now = arch_read_tsc();
        if (now < tsc.read && tsc.read - now > tsc.behind)
            tsc.behind = tsc.read - now;
        tsc.read = now;
        tsc.turn = turn + 1;
    }
}

/* ---- by the processor that is started ---- */

void ki_processor_startup(KPCR *pcr)
{
    KPRCB *prcb = &pcr->Prcb;

    arch_write_cr3(ki_system_directory);
    ki_load_pcr(pcr);
    if (ki_repeat_mtrrs())
        mtrr_repairs++;
    ki_repeat_features(pcr);
    ki_load_directory(prcb, prcb->IdleThread->Process->DirectoryTableBase);
    ki_set_kernel_stack(prcb, (ULONG_PTR)prcb->IdleThread->InitialStack);
    ki_pin_registers();
    ki_start_machine_checks();
    ki_enable_apic();
    ki_join_clock();
    arch_write_cr8(DISPATCH_LEVEL);
    arrived = TRUE;
    compare_tsc(1);
    KiIdleLoop();
}

/* ---- by the one that starts it ---- */

void ki_reset_processor(ULONG apic_id)
{
    arch_send_interrupt(apic_id, APIC_ICR_INIT);
}

static BOOLEAN has_arrived_in(ULONG microseconds)
{
    ULONGLONG begun = arch_read_tsc();
    ULONGLONG ticks = (ULONGLONG)KeGetCurrentPrcb()->MHz * microseconds;

    while (!arrived && arch_read_tsc() - begun < ticks)
        arch_pause();
    return arrived;
}

static BOOLEAN wake(ULONG apic_id)
{
    ULONG command = APIC_ICR_STARTUP | (ULONG)(startup_page >> PAGE_SHIFT);

    for (ULONG i = 0; i < 2; i++) {
        arch_send_interrupt(apic_id, command);
        if (has_arrived_in(STARTUP_WAIT))
            return TRUE;
    }
    return has_arrived_in(LONGEST_WAIT);
}

BOOLEAN ki_start_processor(KPCR *pcr, ULONG apic_id)
{
    startup_data->stack = pcr->Prcb.IdleThread->InitialStack;
    startup_data->pcr = pcr;
    arrived = FALSE;
    tsc.turn = 0;
    tsc.read = 0;
    if (wake(apic_id)) {
        compare_tsc(0);
        return TRUE;
    }
    ki_reset_processor(apic_id);
    KeStallExecutionProcessor(KI_INIT_WAIT);
    return FALSE;
}

ULONGLONG ki_tsc_difference(void)
{
    return tsc.behind;
}

ULONG ki_mtrr_repairs(void)
{
    return mtrr_repairs;
}
