/*
 * cpu/features.c - the processor's switches: CR0, CR4, EFER and the MSRs of
 * the system call.
 *
 * What is on is decided here and by CPUID alone: nothing is inherited from
 * the firmware, and an emulator may hang, not fault, on a CR4 bit that it does
 * not have.
 */
#include <bug.h>
#include <arch/processor.h>
#include <arch/speculation.h>
#include <arch/thread.h>

#include <arch/entry.h>
#include <kd.h>
#include <x86/registers.h>

#define STAR_VALUE ((ULONGLONG)(KGDT_R3_CODE | RPL_MASK) << 48 | \
                    (ULONGLONG)KGDT_R0_CODE << 32)

/* TF, IF, DF, NT as Windows; and AC, so that SMAP is on from the first
 * instruction (docs/fidelity.md). */
#define FMASK_VALUE                                                     \
    (UNLESS_BUG(fmask_without_tf, EFLAGS_TF) | EFLAGS_IF |              \
     UNLESS_BUG(fmask_without_df, EFLAGS_DF) |                          \
     UNLESS_BUG(fmask_without_nt, EFLAGS_NT) |                          \
     UNLESS_BUG(fmask_without_ac, EFLAGS_AC))

#define CPUID7_EBX_SMEP (1U << 7)
#define CPUID7_EBX_SMAP (1U << 20)
#define CPUID7_ECX_UMIP (1U << 2)
#define CPUID1_EDX_DE (1U << 2)
#define CPUID1_EDX_SEP (1U << 11)
#define CPUID1_EDX_PGE (1U << 13)
#define CPUID1_EDX_APIC (1U << 9)
#define CPUID1_EDX_PAT (1U << 16)

/* By WriteThrough and CacheDisable; twice, for nobody sets the PAT bit. */
#define PAT_HALF (PAT_WB | PAT_WC << 8 | PAT_UC_MINUS << 16 | PAT_UC << 24)
#define PAT_VALUE (PAT_HALF | PAT_HALF << 32)

#define CPUID80000001_EDX_NX (1U << 20)
#define CPUID80000001_EDX_SYSCALL (1U << 11)

BOOLEAN KeSmapEnabled SEALED;
BOOLEAN KiFastSystemCallIsIA32 SEALED;

static ULONGLONG wanted_cr4(void)
{
    ULONGLONG cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_MCE;
    struct arch_cpuid features = { 0 };

    if (arch_cpuid(0, 0).eax >= 7)
        features = arch_cpuid(7, 0);
    if (arch_cpuid(1, 0).edx & CPUID1_EDX_DE)
        cr4 |= CR4_DE;                  /* DR7: kind 2 is I/O's */
    if (arch_cpuid(1, 0).edx & CPUID1_EDX_PGE)
        cr4 |= CR4_PGE;
    if (features.ebx & CPUID7_EBX_SMEP)
        cr4 |= UNLESS_BUG(smep_off, CR4_SMEP);
    if (features.ebx & CPUID7_EBX_SMAP)
        cr4 |= UNLESS_BUG(smap_off, CR4_SMAP);
    if (features.ecx & CPUID7_ECX_UMIP)
        cr4 |= UNLESS_BUG(umip_off, CR4_UMIP);
    return cr4;
}

/*
 * SYSENTER in long mode is Intel's alone: AMD's processors raise #UD although
 * CPUID reports SEP, and an emulator of one may enter the kernel all the same.
 * With SYSENTER_CS 0 it is #GP wherever it is not #UD.
 */
static void set_sysenter(KPCR *pcr)
{
    ULONG_PTR door = (ULONG_PTR)(KiKvaShadow ? KiFastCallEntryShadow
                                             : KiFastCallEntry);

    arch_write_msr(MSR_SYSENTER_CS, KiFastSystemCallIsIA32 ? KGDT_R0_CODE : 0);
    arch_write_msr(MSR_SYSENTER_ESP, KiFastSystemCallIsIA32
                                         ? (ULONG_PTR)&pcr->TssBase->Rsp0 : 0);
    arch_write_msr(MSR_SYSENTER_EIP, KiFastSystemCallIsIA32
                                         ? door : 0);
}

/*
 * As Windows has it; WriteThrough means write combining.  Nothing is mapped yet
 * whose type that changes (SDM: 3A, 11.12.4 wants no more then).
 */
static void set_page_attributes(void)
{
    if (!(arch_cpuid(1, 0).edx & CPUID1_EDX_PAT))
        return;
    arch_write_msr(MSR_PAT, PAT_VALUE);
    arch_write_cr3(arch_read_cr3());
}

/* Nothing else is needed but long mode, which is there. */
static void check_needed(void)
{
    ULONG basic = arch_cpuid(1, 0).edx;
    ULONG extended = arch_cpuid(0x80000001, 0).edx;
    const char *missing =
        !(extended & CPUID80000001_EDX_NX) ? "NX (the firmware may hide it)" :
        !(extended & CPUID80000001_EDX_SYSCALL) ? "SYSCALL" :
        !(basic & CPUID1_EDX_APIC) ? "a local APIC" : NULL;

    if (!missing)
        return;
    DbgPrint("This processor does not have what the kernel needs: %s.\n",
             missing);
    KeBugCheckEx(UNSUPPORTED_PROCESSOR, basic, extended, 0, 0);
}

static void set_registers(void)
{
    ULONGLONG cr0 = arch_read_cr0() & ~(CR0_EM | CR0_TS | CR0_WP |
                                        CR0_NW | CR0_CD);

    arch_write_msr(MSR_EFER, arch_read_msr(MSR_EFER) | EFER_SCE | EFER_NXE);
    arch_write_cr0(cr0 | UNLESS_BUG(wp_off, CR0_WP) | CR0_MP | CR0_NE | CR0_AM);
    arch_write_cr4(wanted_cr4());
    set_page_attributes();
}

static void set_doors(KPCR *pcr)
{
    arch_write_msr(MSR_STAR, STAR_VALUE);
    arch_write_msr(MSR_LSTAR, (ULONG_PTR)(KiKvaShadow ? KiSystemCall64Shadow
                                                      : KiSystemCall64));
    arch_write_msr(MSR_CSTAR, (ULONG_PTR)(KiKvaShadow ? KiSystemCall32Shadow
                                                      : KiSystemCall32));
    arch_write_msr(MSR_FMASK, FMASK_VALUE);
    set_sysenter(pcr);
}

/* Behind what has been decided once for all. */
static void start_features(KPCR *pcr)
{
    ki_start_speculation(&pcr->Prcb);
    ki_start_kva_shadow(pcr);
    ki_start_xstate();
    arch_write_cr8(PASSIVE_LEVEL);
    set_doors(pcr);
}

void ki_initialize_features(const char *kva_option)
{
    KPCR *pcr = CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb);

    check_needed();
    set_registers();
    ki_choose_speculation();
    ki_choose_kva_shadow(kva_option);
    ki_choose_xstate();
    KeSmapEnabled = (arch_read_cr4() & CR4_SMAP) != 0;
    KiFastSystemCallIsIA32 = pcr->Prcb.CpuVendor == VENDOR_INTEL &&
                             (arch_cpuid(1, 0).edx & CPUID1_EDX_SEP);
    start_features(pcr);
}

void ki_repeat_features(KPCR *pcr)
{
    set_registers();
    start_features(pcr);
}

BOOLEAN ki_read_system_call_msr(ULONG msr, ULONGLONG *value)
{
    switch (msr) {
    case MSR_EFER: case MSR_STAR: case MSR_LSTAR: case MSR_CSTAR:
    case MSR_FMASK: case MSR_SYSENTER_CS: case MSR_SYSENTER_ESP:
    case MSR_SYSENTER_EIP:
        *value = arch_read_msr(msr);
        return TRUE;
    default:
        return FALSE;
    }
}

void ki_patch_smap_sites(void)
{
    static const UCHAR stac[] = { 0x0F, 0x01, 0xCB };
    static const UCHAR clac[] = { 0x0F, 0x01, 0xCA };
    ULONGLONG cr0 = arch_read_cr0();

    if (!KeSmapEnabled)
        return;
    arch_write_cr0(cr0 & ~CR0_WP);
    for (const struct ki_smap_site *site = smap_sites; site < smap_sites_end;
         site++)
        memcpy(site->address, site->stac ? stac : clac, sizeof stac);
    arch_write_cr0(cr0);
}

void ki_show_features(void)
{
    ULONGLONG cr4 = arch_read_cr4();
    const char *shadow = KiKvaShadow ? "Shadow" : "";

    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL, "CR0   %016llx  WP\n",
               arch_read_cr0());
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "CR3   %016llx  CR4 %016llx %s%s%s%s\n", arch_read_cr3(), cr4,
               cr4 & CR4_PGE ? " PGE" : "", cr4 & CR4_SMEP ? " SMEP" : "",
               cr4 & CR4_SMAP ? " SMAP" : "", cr4 & CR4_UMIP ? " UMIP" : "");
    ki_show_xstate();
    if (arch_cpuid(1, 0).edx & CPUID1_EDX_PAT)
        DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
                   "PAT   %016llx  WB, WC, UC-, UC\n",
                   arch_read_msr(MSR_PAT));
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL, "EFER  %016llx  SCE LME LMA NXE\n",
               arch_read_msr(MSR_EFER));
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "STAR  %016llx  SYSCALL 08/10, SYSRET 2B/23\n",
               arch_read_msr(MSR_STAR));
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "LSTAR %016llx  KiSystemCall64%s\n",
               arch_read_msr(MSR_LSTAR), shadow);
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "CSTAR %016llx  KiSystemCall32%s\n",
               arch_read_msr(MSR_CSTAR), shadow);
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "FMASK %016llx  clears TF IF DF NT AC\n",
               arch_read_msr(MSR_FMASK));
    if (KiFastSystemCallIsIA32)
        DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
                   "SYSENTER_CS %llx  ESP %016llx  EIP %016llx  "
                   "KiFastCallEntry%s\n",
                   arch_read_msr(MSR_SYSENTER_CS),
                   arch_read_msr(MSR_SYSENTER_ESP),
                   arch_read_msr(MSR_SYSENTER_EIP), shadow);
    else
        DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
                   "SYSENTER_CS 0  this processor has no SYSENTER in long "
                   "mode\n");
}
