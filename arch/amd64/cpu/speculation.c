/*
 * cpu/speculation.c - what mitigation.c decides, done: by each processor once.
 *
 * Nothing is written that CPUID does not have.  The KPRCB's Bpb fields tell
 * the doors and the context switch what is left for them.
 *
 * NT: the fields are Windows'.  BpbRetpolineExitSpecCtrl and its kin stay 0:
 * there are no retpolines here, and nobody asks for STIBP (docs/fidelity.md).
 */
#include <arch/speculation.h>

#include <arch/processor.h>
#include <init.h>
#include <kd.h>
#include <rtl.h>
#include <x86/registers.h>

#define LEAF1_ECX_HYPERVISOR (1U << 31)
#define LEAF7_EDX_ARCH_CAPABILITIES (1U << 29)

static struct ki_speculation speculation SEALED;

static const struct {
    const char *vendor;
    enum ki_vendor number;
} vendors[] = {
    { "GenuineIntel", INTEL }, { "AuthenticAMD", AMD },
    { "HygonGenuine", HYGON },
};

static const char *const names[FLAWS] = {
    [FLAW_MELTDOWN] = "Meltdown",
    [FLAW_L1TF] = "absent entries (L1TF)",
    [FLAW_BRANCHES] = "branches (Spectre 2)",
    [FLAW_HISTORY] = "branch history (BHI)",
    [FLAW_RETURNS] = "return stack",
    [FLAW_RETURN_TYPES] = "returns (RETBleed, SRSO)",
    [FLAW_STORES] = "older stores (SSB)",
    [FLAW_BUFFERS] = "buffers (MDS)",
    [FLAW_ABORTS] = "aborts (TAA)",
    [FLAW_DEVICES] = "devices (MMIO)",
    [FLAW_REGISTERS] = "register file (RFDS)",
};

static enum ki_vendor read_vendor(void)
{
    struct arch_cpuid leaf = arch_cpuid(0, 0);
    ULONG name[] = { leaf.ebx, leaf.edx, leaf.ecx };

    for (ULONG i = 0; i < ARRAY_SIZE(vendors); i++) {
        if (memcmp(name, vendors[i].vendor, sizeof name) == 0)
            return vendors[i].number;
    }
    return OTHER_VENDOR;
}

/* SDM: 2A, CPUID: the extended parts count for some families only. */
static void read_signature(struct ki_speculation_facts *facts)
{
    struct arch_cpuid leaf = arch_cpuid(1, 0);

    facts->family = leaf.eax >> 8 & 0xF;
    facts->model = leaf.eax >> 4 & 0xF;
    facts->stepping = leaf.eax & 0xF;
    if (facts->family == 6 || facts->family == 0xF)
        facts->model |= leaf.eax >> 12 & 0xF0;
    if (facts->family == 0xF)
        facts->family += leaf.eax >> 20 & 0xFF;
    facts->hypervisor = (leaf.ecx & LEAF1_ECX_HYPERVISOR) != 0;
}

static void read_facts(struct ki_speculation_facts *facts)
{
    ULONG last = arch_cpuid(0, 0).eax;
    ULONG last_extended = arch_cpuid(0x80000000, 0).eax;

    facts->vendor = read_vendor();
    read_signature(facts);
    if (last >= 7) {
        struct arch_cpuid leaf = arch_cpuid(7, 0);

        facts->leaf7_ebx = leaf.ebx;
        facts->leaf7_edx = leaf.edx;
        if (leaf.eax >= 2)
            facts->leaf7_2_edx = arch_cpuid(7, 2).edx;
    }
    if (last_extended >= 0x80000008)
        facts->amd8_ebx = arch_cpuid(0x80000008, 0).ebx;
    if (last_extended >= 0x80000021)
        facts->amd21_eax = arch_cpuid(0x80000021, 0).eax;
    if (facts->leaf7_edx & LEAF7_EDX_ARCH_CAPABILITIES)
        facts->capabilities = arch_read_msr(MSR_ARCH_CAPABILITIES);
}

static enum ki_speculation_wish read_wish(void)
{
    const char *spec = init_option("spec");

    return strcmp(spec, "on") == 0 ? SPECULATION_ON
           : strcmp(spec, "off") == 0 ? SPECULATION_OFF : SPECULATION_AUTO;
}

static void fill_prcb(KPRCB *prcb)
{
    prcb->BpbKernelSpecCtrl = speculation.kernel_spec_ctrl;
    prcb->BpbNmiSpecCtrl = speculation.kernel_spec_ctrl;
    prcb->BpbUserSpecCtrl = speculation.user_spec_ctrl;
    prcb->BpbCurrentSpecCtrl = speculation.kernel_spec_ctrl;
    if (speculation.fill_on_trap)
        prcb->BpbState |= BPB_FLUSH_RSB_ON_TRAP;
    if (speculation.ibpb_on_trap)
        prcb->BpbState |= BPB_IBPB_ON_TRAP;
    if (speculation.fill_on_switch || speculation.ibpb_on_switch)
        prcb->BpbFeatures |= BPB_ENABLED;
    if (!speculation.fill_on_trap)
        prcb->BpbFeatures |= BPB_SMEP;
    prcb->VerwSelector = speculation.verw ? KGDT_R0_DATA : 0;
}

void ki_choose_speculation(void)
{
    struct ki_speculation_facts facts = { 0 };

    read_facts(&facts);
    ki_decide_speculation(&facts, read_wish(),
                          (arch_read_cr4() & CR4_SMEP) != 0, &speculation);
}

void ki_start_speculation(KPRCB *prcb)
{
    if (speculation.has_spec_ctrl)
        arch_write_msr(MSR_SPEC_CTRL, speculation.spec_ctrl);
    if (speculation.automatic_ibrs)
        arch_write_msr(MSR_EFER,
                       arch_read_msr(MSR_EFER) | EFER_AUTOMATIC_IBRS);
    if (speculation.serialize_lfence)
        arch_write_msr(MSR_AMD_DE_CFG, arch_read_msr(MSR_AMD_DE_CFG) |
                                           DE_CFG_LFENCE_SERIALIZES);
    fill_prcb(prcb);
}

/*
 * NT: Windows remembers at each way in whose ring 3 has trained the
 * predictors, and forgets it at the next way out; here the switch does both.
 * A system thread in between changes nothing.
 */
void ki_switch_predictors(KPRCB *prcb, ULONGLONG security_domain)
{
    if (speculation.fill_on_switch)
        ki_fill_return_stack();
    if (!security_domain || security_domain == prcb->TrappedSecurityDomain)
        return;
    prcb->TrappedSecurityDomain = security_domain;
    if (speculation.ibpb_on_switch)
        arch_write_msr(MSR_PRED_CMD, PRED_CMD_IBPB);
}

void ki_show_speculation(void)
{
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "SPEC  Spectre 1: the index is clamped, LFENCE on both sides of "
               "each SWAPGS that is a choice\n");
    for (ULONG flaw = 0; flaw < FLAWS; flaw++)
        DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL, "SPEC  %-24s  %s\n",
                   names[flaw], ki_speculation_words(&speculation, flaw));
}

BOOLEAN ki_needs_kva_shadow(void)
{
    return speculation.kva_shadow;
}

BOOLEAN ki_needs_predictor_doors(void)
{
    return speculation.kernel_spec_ctrl != speculation.user_spec_ctrl ||
           speculation.fill_on_trap || speculation.ibpb_on_trap ||
           speculation.verw;
}
