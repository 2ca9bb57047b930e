/*
 * mitigation.c - what is decided about speculation (K7), for processors as they
 * are: CPUID and IA32_ARCH_CAPABILITIES as each reports them, with the newest
 * microcode of its time unless the row says otherwise.
 */
#include "unit.h"

#include <arch/speculation.h>
#include <x86/registers.h>

#define EDX_2018 0x8C000000             /* SSBD, STIBP, SPEC_CTRL */
#define EDX_2019 (EDX_2018 | 0x10000400)        /* L1D_FLUSH, MD_CLEAR */
#define EDX_CAPABLE 0x20000000
#define RTM 0x800

/* A verdict per flaw, in the order of enum ki_flaw: n, m, o. */
struct processor {
    const char *name;
    struct ki_speculation_facts facts;
    BOOLEAN smep;
    const char *verdicts;
    BOOLEAN kva_shadow;
    ULONG spec_ctrl;
    UCHAR user_spec_ctrl;
    BOOLEAN fill_on_trap, verw;
};

static const struct processor processors[] = {
    { "Bonnell", { INTEL, 6, 0x1C, .stepping = 10 }, FALSE,
      "nnnnnnnnnnn", FALSE, 0, 0, FALSE, FALSE },
    { "Sandy Bridge 2017", { INTEL, 6, 0x2A, .stepping = 7 }, FALSE,
      "moononoonnn", TRUE, 0, 0, FALSE, FALSE },
    { "Sandy Bridge", { INTEL, 6, 0x2A, 7, .leaf7_edx = EDX_2019 }, FALSE,
      "momnmnomnnn", TRUE, SPEC_CTRL_IBRS, 0, TRUE, TRUE },
    { "Skylake 2017", { INTEL, 6, 0x5E, 3, .leaf7_ebx = RTM }, TRUE,
      "moonoooooon", TRUE, 0, 0, FALSE, FALSE },
    { "Skylake", { INTEL, 6, 0x5E, 3, .leaf7_ebx = RTM,
                   .leaf7_edx = EDX_2019 }, TRUE,
      "momnmmommmn", TRUE, SPEC_CTRL_IBRS, 0, FALSE, TRUE },
    { "Goldmont", { INTEL, 6, 0x5C, 9, .leaf7_edx = EDX_2018 }, TRUE,
      "momnmnonnno", TRUE, SPEC_CTRL_IBRS, 0, FALSE, FALSE },
    /* RDCL_NO, IBRS_ALL, SKIP_L1DFL, MDS_NO; FB_CLEAR since 2022 */
    { "Cascade Lake", { INTEL, 6, 0x55, 7, .leaf7_ebx = RTM,
                        .leaf7_edx = EDX_2019 | EDX_CAPABLE,
                        .capabilities = 0x2002B }, TRUE,
      "nnmommonmmn", FALSE, SPEC_CTRL_IBRS, SPEC_CTRL_IBRS, FALSE, TRUE },
    /* and PSCHANGE_MC_NO, TAA_NO */
    { "Ice Lake", { INTEL, 6, 0x6A, 6,
                    .leaf7_edx = EDX_2019 | EDX_CAPABLE,
                    .capabilities = 0x2016B }, TRUE,
      "nnmomnonnmn", FALSE, SPEC_CTRL_IBRS, SPEC_CTRL_IBRS, FALSE, TRUE },
    /* and the three of MMIO, RRSBA, RFDS_CLEAR; BHI_DIS_S */
    { "Alder Lake", { INTEL, 6, 0x97, 2, .leaf7_2_edx = 0x17,
                      .leaf7_edx = EDX_2019 | EDX_CAPABLE,
                      .capabilities = 0x1008E16B }, TRUE,
      "nnmmmnonnnm", FALSE, SPEC_CTRL_IBRS | SPEC_CTRL_BHI_DIS_S,
      SPEC_CTRL_IBRS, FALSE, TRUE },
    { "Alder Lake 2022", { INTEL, 6, 0x97, 2,
                           .leaf7_edx = EDX_2019 | EDX_CAPABLE,
                           .capabilities = 0x8E16B }, TRUE,
      "nnmomnonnno", FALSE, SPEC_CTRL_IBRS, SPEC_CTRL_IBRS, FALSE, FALSE },
    { "Zen 1", { AMD, 0x17, 1, 1, .amd8_ebx = 0x00001007 }, TRUE,
      "nnonmoonnnn", FALSE, 0, 0, FALSE, FALSE },
    { "Zen 2", { AMD, 0x17, 0x71, 0, .amd8_ebx = 0x010EB757 }, TRUE,
      "nnonmoonnnn", FALSE, 0, 0, FALSE, FALSE },
    { "Zen 3", { AMD, 0x19, 0x21, 0, .amd8_ebx = 0x111EF657,
                 .amd21_eax = 0x45 }, TRUE,
      "nnmnmoonnnn", FALSE, SPEC_CTRL_IBRS, 0, FALSE, FALSE },
    { "Zen 4", { AMD, 0x19, 0x61, 2, .amd8_ebx = 0x791EF257,
                 .amd21_eax = 0x62FCF }, TRUE,
      "nnmnmoonnnn", FALSE, 0, 0, FALSE, FALSE },
    { "Zen 5", { AMD, 0x1A, 0x44, 0, .amd8_ebx = 0x791EF257,
                 .amd21_eax = 0x20062FCF }, TRUE,
      "nnmnmnonnnn", FALSE, 0, 0, FALSE, FALSE },
    { "Hygon", { HYGON, 0x18, 0, 1, .amd8_ebx = 0x00001007 }, TRUE,
      "nnonmoonnnn", FALSE, 0, 0, FALSE, FALSE },
    { "nobody's", { OTHER_VENDOR, 6, 0x5E, .stepping = 3 }, TRUE,
      "mnonononnnn", TRUE, 0, 0, FALSE, FALSE },
};

static void test_processors(void **state)
{
    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(processors); i++) {
        const struct processor *one = &processors[i];
        struct ki_speculation decided;
        char verdicts[FLAWS + 1] = "";

        ki_decide_speculation(&one->facts, SPECULATION_AUTO, one->smep,
                              &decided);
        for (ULONG flaw = 0; flaw < FLAWS; flaw++)
            verdicts[flaw] = "nmo"[decided.verdicts[flaw]];
        print_message("%-18s %s\n", one->name, verdicts);
        assert_string_equal(verdicts, one->verdicts);
        assert_int_equal(decided.kva_shadow, one->kva_shadow);
        assert_int_equal(decided.spec_ctrl, one->spec_ctrl);
        assert_int_equal(decided.user_spec_ctrl, one->user_spec_ctrl);
        assert_int_equal(decided.fill_on_trap, one->fill_on_trap);
        assert_int_equal(decided.verw, one->verw);
        assert_false(decided.ibpb_on_trap);
    }
}

static BOOLEAN is_written(const struct ki_speculation *decided, ULONG bit)
{
    return ((decided->spec_ctrl | decided->kernel_spec_ctrl |
             decided->user_spec_ctrl) & bit) != 0;
}

/* No bit of an MSR is used that CPUID does not report. */
static void check_bits(const struct ki_speculation_facts *facts,
                       const struct ki_speculation *decided)
{
    BOOLEAN amd = facts->vendor == AMD || facts->vendor == HYGON;
    BOOLEAN intel_ctrl = !amd && (facts->leaf7_edx & 1U << 26);
    BOOLEAN ibrs = intel_ctrl || (amd && (facts->amd8_ebx & 1 << 14));
    BOOLEAN ibpb = intel_ctrl || (amd && (facts->amd8_ebx & 1 << 12));
    BOOLEAN ssbd = amd ? (facts->amd8_ebx & 1 << 24) != 0
                       : (facts->leaf7_edx & 1U << 31) != 0;

    assert_true(!is_written(decided, SPEC_CTRL_IBRS) || ibrs);
    assert_true(!is_written(decided, SPEC_CTRL_SSBD) || ssbd);
    assert_true(!is_written(decided, SPEC_CTRL_BHI_DIS_S) ||
                (facts->leaf7_2_edx & 1 << 4));
    assert_false(is_written(decided, ~(SPEC_CTRL_IBRS | SPEC_CTRL_SSBD |
                                       SPEC_CTRL_BHI_DIS_S)));
    assert_true(!decided->has_spec_ctrl || ibrs || ssbd);
    assert_true(decided->has_spec_ctrl || !decided->spec_ctrl);
    assert_true(!decided->ibpb_on_trap || ibpb);
    assert_true(!decided->ibpb_on_switch || ibpb);
    assert_true(!decided->automatic_ibrs ||
                (amd && (facts->amd21_eax & 1 << 8)));
    assert_true(!decided->serialize_lfence ||
                (facts->vendor == AMD && !facts->hypervisor));
}

/* What the doors write, a byte, is all there is when they write it. */
static void check_doors(const struct ki_speculation *decided)
{
    assert_int_equal(decided->spec_ctrl & 0xFF, decided->kernel_spec_ctrl);
    if (decided->kernel_spec_ctrl != decided->user_spec_ctrl)
        assert_int_equal(decided->spec_ctrl, decided->kernel_spec_ctrl);
}

static ULONG random_bits(void)
{
    static ULONGLONG seed = 19041;

    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (ULONG)(seed >> 32);
}

/* Bits as no processor has them, and each real one's with bits missing. */
static void random_facts(struct ki_speculation_facts *facts)
{
    *facts = processors[random_bits() % ARRAY_SIZE(processors)].facts;
    if (random_bits() & 1)
        facts->vendor = random_bits() % (HYGON + 1);
    if (random_bits() & 1)
        facts->leaf7_edx = random_bits();
    if (random_bits() & 1)
        facts->leaf7_2_edx &= random_bits();
    if (random_bits() & 1)
        facts->amd8_ebx = random_bits();
    if (random_bits() & 1)
        facts->amd21_eax = random_bits();
    if (random_bits() & 1)
        facts->capabilities = random_bits();
    facts->hypervisor = random_bits() & 1;
}

static void test_bits(void **state)
{
    (void)state;
    for (ULONG i = 0; i < 300000; i++) {
        struct ki_speculation_facts facts;
        struct ki_speculation decided;

        random_facts(&facts);
        ki_decide_speculation(&facts, i % 3, i & 1, &decided);
        check_bits(&facts, &decided);
        check_doors(&decided);
        for (ULONG flaw = 0; flaw < FLAWS; flaw++)
            assert_non_null(ki_speculation_words(&decided, flaw));
    }
}

static void decide_named(const char *name, enum ki_speculation_wish wish,
                         struct ki_speculation *decided)
{
    for (ULONG i = 0; i < ARRAY_SIZE(processors); i++) {
        if (strcmp(processors[i].name, name) == 0) {
            ki_decide_speculation(&processors[i].facts, wish,
                                  processors[i].smep, decided);
            return;
        }
    }
    fail();
}

static void check_words(const char *name, enum ki_speculation_wish wish,
                        enum ki_flaw flaw, const char *words)
{
    struct ki_speculation decided;

    decide_named(name, wish, &decided);
    assert_string_equal(ki_speculation_words(&decided, flaw), words);
}

static void test_words(void **state)
{
    (void)state;
    check_words("Skylake", SPECULATION_AUTO, FLAW_BRANCHES,
                "IBRS at each way in");
    check_words("Skylake", SPECULATION_AUTO, FLAW_RETURNS,
                "SMEP; filled at each switch");
    check_words("Sandy Bridge", SPECULATION_AUTO, FLAW_RETURNS,
                "filled at each way in and switch");
    check_words("Ice Lake", SPECULATION_AUTO, FLAW_BRANCHES,
                "IBRS, always on");
    check_words("Alder Lake", SPECULATION_AUTO, FLAW_HISTORY, "BHI_DIS_S");
    check_words("Zen 4", SPECULATION_AUTO, FLAW_BRANCHES, "automatic IBRS");
    check_words("Zen 1", SPECULATION_AUTO, FLAW_BRANCHES, "open");
    check_words("Zen 1", SPECULATION_ON, FLAW_BRANCHES,
                "IBPB at each way in");
    check_words("Zen 1", SPECULATION_ON, FLAW_RETURN_TYPES,
                "IBPB at each way in");
    check_words("Skylake", SPECULATION_ON, FLAW_STORES, "SSBD");
    check_words("Skylake", SPECULATION_OFF, FLAW_BUFFERS, "open");
    check_words("Zen 4", SPECULATION_OFF, FLAW_BUFFERS, "not affected");
}

/* Everything that any processor can execute; or nothing but kva='s part. */
static void test_wishes(void **state)
{
    struct ki_speculation decided;

    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(processors); i++) {
        decide_named(processors[i].name, SPECULATION_ON, &decided);
        assert_true(decided.verw && decided.fill_on_trap &&
                    decided.fill_on_switch);
        decide_named(processors[i].name, SPECULATION_OFF, &decided);
        assert_int_equal(decided.kva_shadow, processors[i].kva_shadow);
        assert_false(decided.has_spec_ctrl || decided.verw ||
                     decided.ibpb_on_switch || decided.fill_on_switch ||
                     decided.fill_on_trap || decided.automatic_ibrs ||
                     decided.serialize_lfence);
    }
}

/* The MSR that makes AMD's LFENCE wait, where it may be missing. */
static void test_lfence(void **state)
{
    struct ki_speculation_facts facts = { AMD, 0x17, 1, .stepping = 1 };
    struct ki_speculation decided;

    (void)state;
    ki_decide_speculation(&facts, SPECULATION_AUTO, TRUE, &decided);
    assert_true(decided.serialize_lfence);
    facts.family = 0x11;
    ki_decide_speculation(&facts, SPECULATION_AUTO, TRUE, &decided);
    assert_false(decided.serialize_lfence);
    facts.family = 0x19;
    facts.amd21_eax = 1 << 2;
    ki_decide_speculation(&facts, SPECULATION_AUTO, TRUE, &decided);
    assert_false(decided.serialize_lfence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processors),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_lfence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
