/*
 * smbios.c - names of machines: both kinds of entry point, strings as vendors
 * write them, structures that are cut off.
 */
#include "unit.h"

#include "../../kernel/hal/halp.h"

static struct hal_machine machine;

static void set_sum(UCHAR *bytes, ULONG at, ULONG length)
{
    bytes[at] = 0;
    for (ULONG i = 0; i < length; i++)
        bytes[at] -= i == at ? 0 : bytes[i];
}

static void test_new_entry(void **state)
{
    UCHAR entry[32] = "_SM3_";
    struct smbios_table table;

    (void)state;
    entry[6] = 24;
    entry[7] = 3;
    entry[8] = 4;
    entry[13] = 0x02;
    entry[17] = 0x10;
    entry[20] = 1;
    set_sum(entry, 5, 24);
    assert_true(smbios_read_entry(entry, sizeof entry, &table));
    assert_int_equal(table.address, 0x100001000);
    assert_int_equal(table.size, 0x200);
    assert_int_equal(table.major, 3);
    assert_int_equal(table.minor, 4);
    assert_int_equal(table.dmi_revision, 0);
    assert_false(smbios_read_entry(entry, 23, &table));
    for (ULONG i = 0; i < 24; i++) {
        entry[i] ^= 0x40;
        assert_false(smbios_read_entry(entry, sizeof entry, &table));
        entry[i] ^= 0x40;
    }
    entry[6] = 33;                      /* more than there is */
    set_sum(entry, 5, 24);
    assert_false(smbios_read_entry(entry, sizeof entry, &table));
    entry[6] = 24;
    entry[15] = 1;                      /* 16 MiB */
    set_sum(entry, 5, 24);
    assert_false(smbios_read_entry(entry, sizeof entry, &table));
}

static void test_old_entry(void **state)
{
    UCHAR entry[32] = "_SM_";
    struct smbios_table table;

    (void)state;
    entry[5] = 31;
    entry[6] = 2;
    entry[7] = 8;
    entry[30] = 0x28;
    entry[22] = 0x34;
    entry[23] = 0x12;
    entry[26] = 0xF5;
    set_sum(entry, 4, 31);
    assert_true(smbios_read_entry(entry, sizeof entry, &table));
    assert_int_equal(table.address, 0xF50000);
    assert_int_equal(table.size, 0x1234);
    assert_int_equal(table.major, 2);
    assert_int_equal(table.minor, 8);
    assert_int_equal(table.dmi_revision, 0x28);
    assert_false(smbios_read_entry(entry, 30, &table));
    entry[30] ^= 1;
    assert_false(smbios_read_entry(entry, sizeof entry, &table));
    memset(entry, 0, sizeof entry);
    assert_false(smbios_read_entry(entry, sizeof entry, &table));
}

#define READ(bytes) do {                                                \
        memset(&machine, 0, sizeof machine);                            \
        smbios_read((const UCHAR *)bytes, sizeof bytes - 1, &machine);  \
    } while (0)

#define FIRMWARE "\x00\x09\x00\x00\x01\x02\x00\xE8\x03"
#define SYSTEM "\x01\x08\x01\x00\x01\x02\x03\x04"
#define END "\x7F\x04\x02\x00\x00\x00"

static void test_names(void **state)
{
    (void)state;
    READ(FIRMWARE "ACME BIOS\0" "1.2\0" "01/02/2003\0" "\0"
         "\x11\x05\x03\x00\x01" "memory\0" "\0"
         SYSTEM "  ACME Inc.  \0" "Model \x01" "7\0" "v\0" "s\0" "\0" END
         SYSTEM "behind the end\0" "\0");
    assert_string_equal(machine.firmware_vendor, "ACME BIOS");
    assert_string_equal(machine.firmware_version, "1.2");
    assert_string_equal(machine.firmware_date, "01/02/2003");
    assert_string_equal(machine.maker, "ACME Inc.");
    assert_string_equal(machine.product, "Model ?7");
}

/* Up to and with the end, or the last that is whole. */
static void test_size(void **state)
{
    (void)state;
    READ(SYSTEM "a\0" "\0" END "behind");
    assert_int_equal(machine.smbios_size, 8 + 3 + 6);
    READ(SYSTEM "a\0" "\0" SYSTEM "cut off");
    assert_int_equal(machine.smbios_size, 8 + 3);
    READ("\x01\x03\x01\x00");
    assert_int_equal(machine.smbios_size, 0);
}

static void test_strings_that_are_not_there(void **state)
{
    (void)state;
    READ("\x01\x06\x01\x00\x00\x05" "one\0" "two\0" "\0" END);
    assert_string_equal(machine.maker, "");
    assert_string_equal(machine.product, "");
    READ("\x01\x05\x01\x00\x01" "one\0" "\0" END);      /* no second field */
    assert_string_equal(machine.maker, "one");
    assert_string_equal(machine.product, "");
    READ("\x01\x06\x01\x00\x01\x02" "\0\0" END);
    assert_string_equal(machine.maker, "");
}

static void test_long_string(void **state)
{
    static const char name[] =
        "0123456789012345678901234567890123456789012345678901234567890123";
    char bytes[6 + sizeof name + 2] = "\x01\x06\x01\x00\x01\x01";

    (void)state;
    memcpy(bytes + 6, name, sizeof name);
    memset(&machine, 0, sizeof machine);
    smbios_read((UCHAR *)bytes, 6 + sizeof name + 1, &machine);
    assert_int_equal(strlen(machine.maker), HAL_NAME_LENGTH - 1);
    assert_memory_equal(machine.product, name, HAL_NAME_LENGTH - 1);
}

/* Whatever is missing at the end, nothing beyond it is read. */
static void test_cut_off(void **state)
{
    static const char whole[] =
        FIRMWARE "a\0" "b\0" "c\0" "\0" SYSTEM "d\0" "e\0" "\0" END;

    (void)state;
    for (ULONG size = 0; size < sizeof whole; size++) {
        UCHAR *copy = malloc(size + !size);

        memcpy(copy, whole, size);
        memset(&machine, 0, sizeof machine);
        smbios_read(copy, size, &machine);
        free(copy);
    }
    assert_string_equal(machine.product, "e");
    READ("\x01\x03\x01\x00\x01" "one\0" "\0" END);      /* no header */
    assert_string_equal(machine.maker, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_entry),
        cmocka_unit_test(test_old_entry),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_strings_that_are_not_there),
        cmocka_unit_test(test_long_string),
        cmocka_unit_test(test_cut_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
