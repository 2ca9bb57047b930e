/*
 * fpu.c - pictures of the floating-point registers: what the code makes of
 * FNSAVE's must be what this processor's FXSAVE says of the same registers.
 */
#include "unit.h"

#include <wow64/wow64p.h>

/* In protected mode these 108 bytes are FNSAVE's; it also empties the x87. */
static void save(WOW64_FLOATING_SAVE_AREA *old, XSAVE_FORMAT *new)
{
    memset(new, 0, sizeof *new);
    __asm__ volatile("fxsave64 %0\n\tfnsave %1" : "=m"(*new), "=m"(*old));
}

/* rounds values pushed; the last two popped again where there are as many. */
static void load(ULONG rounds)
{
    double values[] = { 1.5, 0.0, -2.25, 1e-310, 1.0 / 3, -0.0, 1e300, 7 };

    __asm__ volatile("fninit");
    for (ULONG i = 0; i < rounds; i++)
        __asm__ volatile("fldl %0" : : "m"(values[i % 8]));
    if (rounds > 2)
        __asm__ volatile("fstp %%st(0)\n\tfstp %%st(0)" : : : "memory");
}

static void as_the_processor_does(void **state)
{
    (void)state;
    for (ULONG rounds = 0; rounds <= 8; rounds++) {
        WOW64_FLOATING_SAVE_AREA old;
        XSAVE_FORMAT new, made;

        load(rounds);
        save(&old, &new);
        memset(&made, 0xAA, sizeof made);
        wow64p_convert_fnsave(&old, &made);
        assert_int_equal(made.ControlWord, new.ControlWord);
        assert_int_equal(made.StatusWord, new.StatusWord);
        assert_int_equal(made.TagWord, new.TagWord);
        assert_memory_equal(made.FloatRegisters, new.FloatRegisters,
                            sizeof new.FloatRegisters);
        assert_int_equal(made.MxCsr, 0xAAAAAAAA);
        assert_int_equal(made.XmmRegisters[0].Low, 0xAAAAAAAAAAAAAAAA);
    }
}

static void instruction_pointers(void **state)
{
    const WOW64_FLOATING_SAVE_AREA old = {
        .ControlWord = 0xFFFF027F, .StatusWord = 0xFFFF0000,
        .TagWord = 0xFFFFFFFF, .ErrorOffset = 0x00401234,
        .ErrorSelector = 0xFFFF001B, .DataOffset = 0x00405678,
        .DataSelector = 0xFFFF0023,
    };
    XSAVE_FORMAT made;

    (void)state;
    memset(&made, 0, sizeof made);
    wow64p_convert_fnsave(&old, &made);
    assert_int_equal(made.ControlWord, 0x027F);
    assert_int_equal(made.TagWord, 0);
    assert_int_equal(made.ErrorOpcode, 0x7FF);
    assert_int_equal(made.ErrorOffset, 0x00401234);
    assert_int_equal(made.DataOffset, 0x00405678);
    assert_int_equal(made.ErrorSelector, 0);
    assert_int_equal(made.DataSelector, 0);
}

/* Each kind of tag, in each place. */
static void tags(void **state)
{
    (void)state;
    for (ULONG word = 0; word < 0x10000; word += 0x101) {
        const WOW64_FLOATING_SAVE_AREA old = { .TagWord = word };
        XSAVE_FORMAT made;
        UCHAR expected = 0;

        for (ULONG i = 0; i < 8; i++)
            expected |= (word / (1u << 2 * i) % 4 == 3 ? 0 : 1) << i;
        wow64p_convert_fnsave(&old, &made);
        assert_int_equal(made.TagWord, expected);
    }
}

static void fxsave_of_32_bits(void **state)
{
    UCHAR image[512];
    XSAVE_FORMAT made;

    (void)state;
    memset(image, 0x5A, sizeof image);
    wow64p_convert_fxsave(image, &made);
    assert_int_equal(made.ControlWord, 0x5A5A);
    assert_int_equal(made.TagWord, 0x5A);
    assert_int_equal(made.MxCsr, 0x5A5A5A5A);
    assert_int_equal(made.ErrorOffset, 0x5A5A5A5A);
    assert_int_equal(made.ErrorSelector | made.Reserved2, 0);
    assert_int_equal(made.DataSelector | made.Reserved3, 0);
    assert_memory_equal(made.FloatRegisters, image, 0x80);
    assert_memory_equal(made.XmmRegisters, image, 0x80);
    for (ULONG i = 8; i < 16; i++)
        assert_true(made.XmmRegisters[i].Low == 0 &&
                    made.XmmRegisters[i].High == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_processor_does),
        cmocka_unit_test(instruction_pointers),
        cmocka_unit_test(tags),
        cmocka_unit_test(fxsave_of_32_bits),
    };
    return cmocka_run_group_tests_name("fpu", tests, NULL, NULL);
}
