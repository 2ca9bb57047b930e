/*
 * cpu/mitigation.c - which of a processor's flaws are known, and what is done
 * about each.
 *
 * A pure function of what CPUID and IA32_ARCH_CAPABILITIES say: no emulator
 * has these flaws, few report the bits, so this is tested on the host.  Where
 * a processor has no bit for a flaw, its family and model tell (the lists are
 * those of Intel's and AMD's advisories).
 *
 * NT: the defaults are Windows'.  What costs thousands of instructions at each
 * way in (IBPB) is done only when asked for (docs/adr/0043-doors-that-cost.md).
 */
#include <arch/speculation.h>

#include <x86/registers.h>

#define LEAF7_EBX_RTM (1U << 11)
#define LEAF7_EDX_MD_CLEAR (1U << 10)
#define LEAF7_EDX_SPEC_CTRL (1U << 26)  /* IBRS, and IBPB with it */
#define LEAF7_EDX_SSBD (1U << 31)
#define LEAF7_2_EDX_BHI_CTRL (1U << 4)

#define AMD8_IBPB (1U << 12)
#define AMD8_IBRS (1U << 14)
#define AMD8_IBRS_ALWAYS (1U << 16)
#define AMD8_IBRS_PREFERRED (1U << 18)
#define AMD8_SSBD (1U << 24)
#define AMD8_SSB_NO (1U << 26)
#define AMD8_BTC_NO (1U << 29)
#define AMD21_LFENCE_SERIALIZES (1U << 2)
#define AMD21_AUTOMATIC_IBRS (1U << 8)
#define AMD21_IBPB_BRTYPE (1U << 28)
#define AMD21_SRSO_NO (1U << 29)

#define CAPABLE_RDCL_NO (1ULL << 0)
#define CAPABLE_IBRS_ALL (1ULL << 1)
#define CAPABLE_RSBA (1ULL << 2)
#define CAPABLE_SSB_NO (1ULL << 4)
#define CAPABLE_MDS_NO (1ULL << 5)
#define CAPABLE_TAA_NO (1ULL << 8)
#define CAPABLE_MMIO_NO (7ULL << 13)    /* SBDR_SSDP, FBSDP, PSDP */
#define CAPABLE_FB_CLEAR (1ULL << 17)
#define CAPABLE_BHI_NO (1ULL << 20)
#define CAPABLE_RFDS_NO (1ULL << 27)
#define CAPABLE_RFDS_CLEAR (1ULL << 28)

/* Intel's models of family 6; each list ends with 0. */
static const UCHAR in_order[] = { 0x1C, 0x26, 0x27, 0x35, 0x36, 0 };
static const UCHAR without_mds[] = { 0x5C, 0x5F, 0x7A, 0 };
static const UCHAR with_mmio[] = {
    0x3F, 0x4E, 0x4F, 0x55, 0x56, 0x5E, 0x6A, 0x6C, 0x7D, 0x7E, 0x86, 0x8A,
    0x8E, 0x96, 0x9C, 0x9E, 0xA5, 0xA6, 0xA7, 0,
};
static const UCHAR with_rfds[] = {
    0x5C, 0x5F, 0x7A, 0x86, 0x96, 0x97, 0x9A, 0x9C, 0xB7, 0xBA, 0xBE, 0xBF, 0,
};
/* Skylake and its kin: an empty return stack asks the branch predictor. */
static const UCHAR with_retbleed[] = {
    0x4E, 0x55, 0x5E, 0x66, 0x8E, 0x9E, 0xA5, 0xA6, 0,
};

static BOOLEAN is_model(const struct ki_speculation_facts *facts,
                        const UCHAR *list)
{
    if (facts->vendor != INTEL || facts->family != 6)
        return FALSE;
    while (*list && *list != facts->model)
        list++;
    return *list != 0;
}

static BOOLEAN capable(const struct ki_speculation_facts *facts, ULONGLONG bit)
{
    return (facts->capabilities & bit) != 0;
}

static BOOLEAN is_amd(const struct ki_speculation_facts *facts)
{
    return facts->vendor == AMD || facts->vendor == HYGON;
}

static void judge(struct ki_speculation *decided, enum ki_flaw flaw,
                  BOOLEAN affected, BOOLEAN mitigated)
{
    decided->verdicts[flaw] = !affected ? NOT_AFFECTED
                              : mitigated ? MITIGATED : OPEN;
}

/* Ring 3's page tables are not spec='s but kva='s. */
static void judge_meltdown(const struct ki_speculation_facts *facts,
                           struct ki_speculation *decided)
{
    BOOLEAN affected = !is_amd(facts) && !is_model(facts, in_order) &&
                       !capable(facts, CAPABLE_RDCL_NO);

    decided->kva_shadow = affected;
    judge(decided, FLAW_MELTDOWN, affected, TRUE);
    judge(decided, FLAW_L1TF, affected && facts->vendor == INTEL, FALSE);
}

/* Which bits exist, and IA32_SPEC_CTRL's values with IBRS or without. */
static BOOLEAN has_ibrs(const struct ki_speculation_facts *facts)
{
    return is_amd(facts) ? (facts->amd8_ebx & AMD8_IBRS) != 0
                         : (facts->leaf7_edx & LEAF7_EDX_SPEC_CTRL) != 0;
}

static BOOLEAN has_ibpb(const struct ki_speculation_facts *facts)
{
    return is_amd(facts) ? (facts->amd8_ebx & AMD8_IBPB) != 0
                         : (facts->leaf7_edx & LEAF7_EDX_SPEC_CTRL) != 0;
}

static BOOLEAN has_ssbd(const struct ki_speculation_facts *facts)
{
    return is_amd(facts) ? (facts->amd8_ebx & AMD8_SSBD) != 0
                         : (facts->leaf7_edx & LEAF7_EDX_SSBD) != 0;
}

/* Set once, it holds in ring 0 and in ring 3. */
static BOOLEAN ibrs_may_stay(const struct ki_speculation_facts *facts)
{
    return is_amd(facts) ? (facts->amd8_ebx & AMD8_IBRS_ALWAYS) != 0
                         : capable(facts, CAPABLE_IBRS_ALL);
}

static void judge_branches(const struct ki_speculation_facts *facts,
                           enum ki_speculation_wish wish,
                           struct ki_speculation *decided)
{
    BOOLEAN stays = has_ibrs(facts) && ibrs_may_stay(facts);
    BOOLEAN wanted = has_ibrs(facts) &&
                     (!is_amd(facts) || wish == SPECULATION_ON ||
                      (facts->amd8_ebx & (AMD8_IBRS_ALWAYS |
                                          AMD8_IBRS_PREFERRED)));

    decided->automatic_ibrs = is_amd(facts) &&
                              (facts->amd21_eax & AMD21_AUTOMATIC_IBRS);
    if (wanted && !decided->automatic_ibrs) {
        decided->kernel_spec_ctrl |= SPEC_CTRL_IBRS;
        if (stays)
            decided->user_spec_ctrl |= SPEC_CTRL_IBRS;
    }
    decided->ibpb_on_switch = has_ibpb(facts);
    decided->ibpb_on_trap = is_amd(facts) && has_ibpb(facts) &&
                            wish == SPECULATION_ON;
    judge(decided, FLAW_BRANCHES, !is_model(facts, in_order),
          decided->automatic_ibrs || decided->ibpb_on_trap ||
              (decided->kernel_spec_ctrl & SPEC_CTRL_IBRS));
}

/* IBRS that is written at each way in leaves no history behind. */
static void judge_history(const struct ki_speculation_facts *facts,
                          struct ki_speculation *decided)
{
    BOOLEAN affected = facts->vendor == INTEL && has_ibrs(facts) &&
                       ibrs_may_stay(facts) &&
                       !capable(facts, CAPABLE_BHI_NO);
    BOOLEAN has_control = affected &&
                          (facts->leaf7_2_edx & LEAF7_2_EDX_BHI_CTRL);

    if (has_control)
        decided->spec_ctrl |= SPEC_CTRL_BHI_DIS_S;
    judge(decided, FLAW_HISTORY, affected, has_control);
}

/*
 * With SMEP ring 0 cannot run what ring 3's entries of the return stack lead
 * to.  NT: nothing is filled where nothing is known of the branches either.
 */
static void judge_returns(const struct ki_speculation_facts *facts,
                          enum ki_speculation_wish wish, BOOLEAN smep,
                          struct ki_speculation *decided)
{
    BOOLEAN affected = !is_model(facts, in_order);
    BOOLEAN intel = is_model(facts, with_retbleed) ||
                    capable(facts, CAPABLE_RSBA);
    BOOLEAN amd = is_amd(facts) &&
                  ((facts->family < 0x19 &&
                    !(facts->amd8_ebx & AMD8_BTC_NO)) ||
                   (facts->family == 0x19 &&
                    !(facts->amd21_eax & AMD21_SRSO_NO)));

    BOOLEAN updated = has_ibrs(facts) || has_ibpb(facts);

    decided->fill_on_switch = (affected && updated) || wish == SPECULATION_ON;
    decided->fill_on_trap = (affected && updated && !smep) ||
                            wish == SPECULATION_ON;
    judge(decided, FLAW_RETURNS, affected, decided->fill_on_switch);
    if (amd)
        judge(decided, FLAW_RETURN_TYPES, TRUE,
              decided->ibpb_on_trap &&
                  (facts->family < 0x19 ||
                   (facts->amd21_eax & AMD21_IBPB_BRTYPE)));
    else
        judge(decided, FLAW_RETURN_TYPES, intel,
              decided->kernel_spec_ctrl & SPEC_CTRL_IBRS);
}

/* NT: off unless a program asks for it; here unless everything is on. */
static void judge_stores(const struct ki_speculation_facts *facts,
                         enum ki_speculation_wish wish,
                         struct ki_speculation *decided)
{
    BOOLEAN affected = is_amd(facts) ? !(facts->amd8_ebx & AMD8_SSB_NO)
                                     : !capable(facts, CAPABLE_SSB_NO) &&
                                           !is_model(facts, in_order);
    BOOLEAN off = wish == SPECULATION_ON && has_ssbd(facts);

    if (off) {
        decided->kernel_spec_ctrl |= SPEC_CTRL_SSBD;
        decided->user_spec_ctrl |= SPEC_CTRL_SSBD;
    }
    judge(decided, FLAW_STORES, affected, off);
}

/* Four flaws, one instruction; microcode says which of them it is good for. */
static void judge_buffers(const struct ki_speculation_facts *facts,
                          enum ki_speculation_wish wish,
                          struct ki_speculation *decided)
{
    BOOLEAN intel = facts->vendor == INTEL && !is_model(facts, in_order);
    BOOLEAN clears = (facts->leaf7_edx & LEAF7_EDX_MD_CLEAR) != 0;
    BOOLEAN mds = intel && !capable(facts, CAPABLE_MDS_NO) &&
                  !is_model(facts, without_mds);
    BOOLEAN taa = intel && (facts->leaf7_ebx & LEAF7_EBX_RTM) &&
                  !capable(facts, CAPABLE_TAA_NO);
    BOOLEAN mmio = is_model(facts, with_mmio) &&
                   (facts->capabilities & CAPABLE_MMIO_NO) != CAPABLE_MMIO_NO;
    BOOLEAN rfds = is_model(facts, with_rfds) &&
                   !capable(facts, CAPABLE_RFDS_NO);
    BOOLEAN clears_fill = capable(facts, CAPABLE_FB_CLEAR) || (clears && mds);
    BOOLEAN clears_file = capable(facts, CAPABLE_RFDS_CLEAR);

    judge(decided, FLAW_BUFFERS, mds, clears);
    judge(decided, FLAW_ABORTS, taa, clears);
    judge(decided, FLAW_DEVICES, mmio, clears_fill);
    judge(decided, FLAW_REGISTERS, rfds, clears_file);
    decided->verw = wish == SPECULATION_ON || ((mds || taa) && clears) ||
                    (mmio && clears_fill) || (rfds && clears_file);
}

/* Nothing is done: what was mitigated is open.  Page tables are kva='s. */
static void switch_off(struct ki_speculation *decided)
{
    struct ki_speculation nothing = { .kva_shadow = decided->kva_shadow };

    for (ULONG flaw = 0; flaw < FLAWS; flaw++)
        nothing.verdicts[flaw] = decided->verdicts[flaw] == MITIGATED &&
                                         flaw != FLAW_MELTDOWN
                                     ? OPEN : decided->verdicts[flaw];
    *decided = nothing;
}

void ki_decide_speculation(const struct ki_speculation_facts *facts,
                           enum ki_speculation_wish wish, BOOLEAN smep,
                           struct ki_speculation *decided)
{
    *decided = (struct ki_speculation){ 0 };
    judge_meltdown(facts, decided);
    judge_branches(facts, wish, decided);
    judge_history(facts, decided);
    judge_stores(facts, wish, decided);
    judge_returns(facts, wish, smep, decided);
    judge_buffers(facts, wish, decided);
    decided->has_spec_ctrl = has_ibrs(facts) || has_ssbd(facts);
    decided->spec_ctrl |= decided->kernel_spec_ctrl;
    decided->serialize_lfence =
        facts->vendor == AMD && facts->family >= 0x10 &&
        facts->family != 0x11 && !facts->hypervisor &&
        !(facts->amd21_eax & AMD21_LFENCE_SERIALIZES);
    if (wish == SPECULATION_OFF)
        switch_off(decided);
}

static const char *branch_words(const struct ki_speculation *decided)
{
    if (decided->automatic_ibrs)
        return "automatic IBRS";
    if (!(decided->kernel_spec_ctrl & SPEC_CTRL_IBRS))
        return "IBPB at each way in";
    return decided->user_spec_ctrl & SPEC_CTRL_IBRS
               ? "IBRS, always on" : "IBRS at each way in";
}

const char *ki_speculation_words(const struct ki_speculation *decided,
                                 enum ki_flaw flaw)
{
    if (decided->verdicts[flaw] == NOT_AFFECTED)
        return "not affected";
    if (decided->verdicts[flaw] == OPEN)
        return "open";
    switch (flaw) {
    case FLAW_MELTDOWN:
        return "KVA shadow, where kva= has it on";
    case FLAW_BRANCHES:
        return branch_words(decided);
    case FLAW_HISTORY:
        return "BHI_DIS_S";
    case FLAW_RETURNS:
        return decided->fill_on_trap ? "filled at each way in and switch"
                                     : "SMEP; filled at each switch";
    case FLAW_RETURN_TYPES:
        return branch_words(decided);
    case FLAW_STORES:
        return "SSBD";
    default:
        return "VERW at each way out";
    }
}
