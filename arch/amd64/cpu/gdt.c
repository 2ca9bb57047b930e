/*
 * cpu/gdt.c - segments and the TSS.
 *
 * The order is fixed by SYSRET and SYSEXIT, which compute selectors: STAR =
 * 001B0008h in bits 63:32 makes SYSCALL load 08/10, SYSRETQ 2B/23, SYSRETL
 * 1B/23; SYSENTER_CS = 8 gives SYSENTER the same 08/10.  KGDT_R0_DATA is flat
 * although 64-bit code does not look: AMD's SYSRET loads ss's selector and
 * leaves limit and base, and 32-bit code may use them next.  Accessed bits are
 * set beforehand: the table is read-only from the end of the boot on (.sealed).
 */
#include <bug.h>
#include <arch/processor.h>

#include <arch/entry.h>
#include <kd.h>
#include <mm/mi.h>

#define CODE64_R0 0x00209B0000000000ULL
#define CODE64_R3 0x0020FB0000000000ULL
#define CODE32_R3 0x00CFFB000000FFFFULL
#define DATA_R0   0x00CF93000000FFFFULL
#define DATA_R3   0x00CFF3000000FFFFULL
#define TEB_R3    0x0040F30000003C00ULL     /* base by the context switch */
#define PCR_R0    0x0040930000000000ULL     /* limit: processor number */
#define TSS_TYPE  0x89

/* A page of its own: ki_map_gdt maps it where it can be written. */
static ULONGLONG boot_gdt[PAGE_SIZE / sizeof(ULONGLONG)] SEALED
    __attribute__((aligned(PAGE_SIZE)));
/* A page of its own: ring 3's page tables have it, too (mm/shadow.c). */
static union {
    KTSS64 tss;
    UCHAR page[PAGE_SIZE];
} boot_tss __attribute__((aligned(PAGE_SIZE)));
/* By a processor's number. */
static ULONGLONG *writable_gdt[MAXIMUM_PROCESSORS] SEALED;

static void set_segment(KPCR *pcr, ULONG selector, ULONGLONG descriptor)
{
    ((ULONGLONG *)pcr->GdtBase)[selector / 8] = descriptor;
}

/* SDM: 3A, 8.2.3: a system descriptor of 64-bit mode takes two places. */
static void set_tss(KPCR *pcr, ULONG selector, const KTSS64 *tss)
{
    KGDTENTRY64 *entry =
        (KGDTENTRY64 *)((ULONGLONG *)pcr->GdtBase + selector / 8);
    ULONG_PTR base = (ULONG_PTR)tss;

    entry->DataLow = entry->DataHigh = 0;
    entry->LimitLow = sizeof *tss - 1;
    entry->BaseLow = (USHORT)base;
    entry->Bytes.BaseMiddle = (UCHAR)(base >> 16);
    entry->Bytes.Flags1 = TSS_TYPE;
    entry->Bytes.BaseHigh = (UCHAR)(base >> 24);
    entry->BaseUpper = (ULONG)(base >> 32);
}

/*
 * ds, es, fs and gs get ring 3's selectors: 64-bit code does not use them, and
 * neither SYSCALL nor IRET to ring 3 changes them.  32-bit code has fs loaded
 * again where its base changes.  Loading gs clears its base; the caller sets
 * it.
 */
void ki_load_gdt(const KPCR *pcr)
{
    struct __attribute__((packed)) {
        USHORT limit;
        ULONGLONG base;
    } pointer = { KGDT64_LAST, (ULONG_PTR)pcr->GdtBase };

    __asm__ volatile(
        "lgdt %0\n\t"
        "mov %1, %%ss\n\t"
        "mov %4, %%ds\n\t"
        "mov %4, %%es\n\t"
        "mov %4, %%gs\n\t"
        "mov %5, %%fs\n\t"
        "push %2\n\t"
        "lea 1f(%%rip), %%rax\n\t"
        "push %%rax\n\t"
        "lretq\n"
        "1:\n\t"
        "ltr %w3\n\t"
        "xor %%eax, %%eax\n\t"
        "lldt %%ax"
        : : "m"(pointer), "r"(KGDT_R0_DATA), "i"(KGDT_R0_CODE),
            "r"(KGDT64_SYS_TSS), "r"(KGDT_R3_DATA | RPL_MASK),
            "r"(KGDT_R3_TEB | RPL_MASK) : "rax", "memory");
}

void ki_use_boot_gdt(KPCR *pcr)
{
    pcr->GdtBase = (KGDTENTRY64 *)boot_gdt;
    pcr->TssBase = &boot_tss.tss;
}

static ULONG_PTR stack_at(const UCHAR *stacks, const UCHAR *boot_top)
{
    return (ULONG_PTR)stacks + (ULONG_PTR)(boot_top - ki_stacks);
}

void ki_fill_gdt(KPCR *pcr, const UCHAR *stacks)
{
    KTSS64 *tss = pcr->TssBase;

    set_segment(pcr, KGDT_R0_CODE, CODE64_R0);
    set_segment(pcr, KGDT_R0_DATA, DATA_R0);
    set_segment(pcr, KGDT_R3_CODE, CODE32_R3);
    set_segment(pcr, KGDT_R3_DATA, DATA_R3);
    set_segment(pcr, KGDT64_R3_CODE, CODE64_R3);
    set_segment(pcr, KGDT_R0_PCR, PCR_R0 | pcr->Prcb.Number);
    set_segment(pcr, KGDT_R3_TEB, TEB_R3);
    set_tss(pcr, KGDT64_SYS_TSS, tss);

    ASSERT(ki_nmi_stack_top - ki_mca_stack_top == IST_STACK_STRIDE);
    tss->Rsp0 = pcr->Prcb.RspBase;
    tss->Ist[TSS_IST_PANIC] = stack_at(stacks, ki_panic_stack_top);
    tss->Ist[TSS_IST_MCA] = stack_at(stacks, ki_mca_stack_top);
    tss->Ist[TSS_IST_NMI] = stack_at(stacks, ki_nmi_stack_top);
    tss->Ist[TSS_IST_DEBUG] = stack_at(stacks, ki_debug_stack_top);
    /* Beyond the limit: no ports. */
    tss->IoMapBase = UNLESS_BUG(ports_for_ring_3, sizeof *tss);
}

void ki_map_gdt(const KPCR *pcr)
{
    MMPTE pte = *MiGetPteAddress(pcr->GdtBase);
    void *writable =
        MmMapIoSpace((ULONGLONG)pte.u.Hard.PageFrameNumber << PAGE_SHIFT,
                     PAGE_SIZE, MmCached);

    if (!writable)
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 6, 0, 0, 0);
    writable_gdt[pcr->Prcb.Number] = writable;
}

/* The hidden part of fs is loaded anew: it keeps the old base otherwise. */
void ki_set_teb_descriptor(ULONG base)
{
    ULONGLONG *gdt = writable_gdt[KeGetCurrentPrcb()->Number];
    KGDTENTRY64 *entry = (KGDTENTRY64 *)&gdt[KGDT_R3_TEB / 8];

    entry->BaseLow = (USHORT)base;
    entry->Bytes.BaseMiddle = (UCHAR)(base >> 16);
    entry->Bytes.BaseHigh = (UCHAR)(base >> 24);
    __asm__ volatile("mov %0, %%fs" : : "r"(KGDT_R3_TEB | RPL_MASK)
                     : "memory");
}

static void show_segment(const KPCR *pcr, ULONG selector, const char *name)
{
    const KGDTENTRY64 *entry =
        (const KGDTENTRY64 *)((const UCHAR *)pcr->GdtBase + selector);

    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "    %02x  %016llx  %-14s DPL %u\n", selector, entry->DataLow,
               name, entry->Bytes.Flags1 >> 5 & 3);
}

void ki_show_descriptors(const KPCR *pcr)
{
    const KTSS64 *tss = pcr->TssBase;

    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "KPCR  %p  gs base; Prcb %p, processor %u\n", (void *)pcr,
               (void *)pcr->CurrentPrcb, pcr->Prcb.Number);
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL, "GDT   %p  limit %04x\n",
               (void *)pcr->GdtBase, KGDT64_LAST);
    show_segment(pcr, KGDT_R0_CODE, "KGDT_R0_CODE");
    show_segment(pcr, KGDT_R0_DATA, "KGDT_R0_DATA");
    show_segment(pcr, KGDT_R3_CODE, "KGDT_R3_CODE");
    show_segment(pcr, KGDT_R3_DATA, "KGDT_R3_DATA");
    show_segment(pcr, KGDT64_R3_CODE, "KGDT64_R3_CODE");
    show_segment(pcr, KGDT_R0_PCR, "KGDT_R0_PCR");
    show_segment(pcr, KGDT_R3_TEB, "KGDT_R3_TEB");
    show_segment(pcr, KGDT64_SYS_TSS, "KGDT64_SYS_TSS");
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL, "TSS   %p  Rsp0 %016llx\n",
               (void *)tss, tss->Rsp0);
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "    IST1 #DF  %016llx   IST2 #MC  %016llx\n",
               tss->Ist[TSS_IST_PANIC], tss->Ist[TSS_IST_MCA]);
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "    IST3 NMI  %016llx   IST4 #DB  %016llx\n",
               tss->Ist[TSS_IST_NMI], tss->Ist[TSS_IST_DEBUG]);
}
