/*
 * acpi.c - ACPI's tables: as QEMU, old and new PCs have them, cut short after
 * each byte, and damaged.
 */
#include "unit.h"

#include "../../kernel/hal/halp.h"

static struct hal_machine machine;

/*
 * A table of these bytes, which follow the header, sound, and where a BIOS may
 * put it: at an odd address.
 */
static struct acpi_header *table(const char *signature, ULONG revision,
                                 const void *bytes, ULONG size)
{
    ULONG length = sizeof(struct acpi_header) + size;
    struct acpi_header *made = (void *)((char *)malloc(length + 1) + 1);
    UCHAR total = 0;

    memset(made, 0, length);
    memcpy(made->signature, signature, 4);
    memcpy(made + 1, bytes, size);
    made->length = length;
    made->revision = revision;
    for (ULONG i = 0; i < length; i++)
        total += ((UCHAR *)made)[i];
    made->checksum = -total;
    memset(&machine, 0, sizeof machine);
    assert_true(acpi_is_sound(made));
    return made;
}

static void drop(struct acpi_header *table)
{
    free((char *)table - 1);
}

static void put(UCHAR *bytes, ULONG offset, ULONG size, ULONGLONG value)
{
    for (; size--; value >>= 8)
        bytes[offset++ - sizeof(struct acpi_header)] = (UCHAR)value;
}

static void set_sum(UCHAR *bytes, ULONG size, ULONG at)
{
    bytes[at] = 0;
    for (ULONG i = 0; i < size; i++)
        bytes[at] -= i == at ? 0 : bytes[i];
}

static void test_rsdp(void **state)
{
    UCHAR rsdp[36] = "RSD PTR _OEMID";
    struct acpi_root root;

    (void)state;
    memcpy(rsdp + 16, "\x00\x10\xfe\x7f", 4);
    set_sum(rsdp, 20, 8);
    assert_true(acpi_read_rsdp(rsdp, 20, &root));
    assert_int_equal(root.list, 0x7FFE1000);
    assert_int_equal(root.pointer_size, 4);
    assert_false(acpi_read_rsdp(rsdp, 19, &root));
    assert_false(acpi_read_rsdp(rsdp, 0, &root));

    rsdp[15] = 2;
    rsdp[20] = 36;
    memcpy(rsdp + 24, "\x00\x20\xfe\x7f\x01", 5);
    set_sum(rsdp, 20, 8);
    set_sum(rsdp, 36, 32);
    assert_true(acpi_read_rsdp(rsdp, 36, &root));
    assert_int_equal(root.list, 0x17FFE2000);
    assert_int_equal(root.pointer_size, 8);
    assert_int_equal(root.revision, 2);
    assert_true(acpi_read_rsdp(rsdp, 20, &root));       /* the old half */
    assert_int_equal(root.list, 0x7FFE1000);
    for (ULONG i = 0; i < 36; i++) {
        rsdp[i] ^= 1;
        assert_false(acpi_read_rsdp(rsdp, 36, &root));
        rsdp[i] ^= 1;
    }
    memset(rsdp + 24, 0, 8);            /* no XSDT */
    set_sum(rsdp, 36, 32);
    assert_true(acpi_read_rsdp(rsdp, 36, &root));
    assert_int_equal(root.pointer_size, 4);
}

static void test_list(void **state)
{
    static const UCHAR pointers[] = { 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0 };
    struct acpi_header *list = table("RSDT", 1, pointers, sizeof pointers);

    (void)state;
    assert_int_equal(acpi_table_count(list, 4), 2);
    assert_int_equal(acpi_table_at(list, 4, 1), 2);
    assert_int_equal(acpi_table_count(list, 8), 1);
    assert_int_equal(acpi_table_at(list, 8, 0), 0x200000001);
    assert_int_equal(acpi_table_at(list, 4, 2), 0);
    ((UCHAR *)list)[40]++;
    assert_false(acpi_is_sound(list));
    list->length = 35;
    assert_false(acpi_is_sound(list));
    list->length = ACPI_MOST + 1;
    assert_false(acpi_is_sound(list));
    drop(list);
}

static const UCHAR madt_bytes[] = {
    0, 0, 0xE0, 0xFE, 1, 0, 0, 0,
    0, 8, 0, 0, 1, 0, 0, 0,             /* a processor */
    0, 8, 1, 2, 0, 0, 0, 0,             /* one that is off */
    0, 8, 2, 4, 3, 0, 0, 0,
    1, 12, 7, 0, 0, 0, 0xC0, 0xFE, 24, 0, 0, 0,
    2, 10, 0, 9, 20, 0, 0, 0, 0xD, 0,
    0x7F, 4, 1, 2,                      /* of a kind that nobody knows */
    9, 16, 0, 0, 0x34, 0x12, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0,
};

static void test_madt(void **state)
{
    struct acpi_header *madt = table("APIC", 3, madt_bytes,
                                     sizeof madt_bytes);

    (void)state;
    acpi_read_madt(madt, &machine);
    assert_int_equal(machine.processor_count, 3);
    assert_int_equal(machine.processors[1].apic_id, 4);
    assert_int_equal(machine.processors[1].uid, 2);
    assert_int_equal(machine.processors[2].apic_id, 0x1234);
    assert_int_equal(machine.processors[2].uid, 9);
    assert_int_equal(machine.io_apic_count, 1);
    assert_int_equal(machine.io_apics[0].id, 7);
    assert_int_equal(machine.io_apics[0].address, 0xFEC00000);
    assert_int_equal(machine.io_apics[0].first, 24);
    assert_int_equal(machine.override_count, 1);
    assert_int_equal(machine.overrides[0].irq, 9);
    assert_int_equal(machine.overrides[0].interrupt, 20);
    assert_int_equal(machine.overrides[0].flags, 0xD);
    drop(madt);
}

/* An entry that is cut off is no entry. */
static void test_short_madt(void **state)
{
    ULONG before = 0;

    (void)state;
    for (ULONG size = 0; size <= sizeof madt_bytes; size++) {
        struct acpi_header *madt = table("APIC", 3, madt_bytes, size);
        ULONG now;

        acpi_read_madt(madt, &machine);
        now = machine.processor_count + machine.io_apic_count +
              machine.override_count;
        assert_in_range(now, before, before + 1);
        before = now;
        drop(madt);
    }
    assert_int_equal(before, 5);
}

static void test_madt_that_does_not_end(void **state)
{
    static const UCHAR none[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    static const UCHAR one[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 };
    struct acpi_header *madt = table("APIC", 3, none, sizeof none);

    (void)state;
    acpi_read_madt(madt, &machine);
    drop(madt);
    madt = table("APIC", 3, one, sizeof one);
    acpi_read_madt(madt, &machine);
    drop(madt);
    assert_int_equal(machine.processor_count, 0);
}

static void test_many_of_each(void **state)
{
    enum { MANY = 300 };
    static UCHAR bytes[8 + MANY * 30];
    struct acpi_header *madt;

    (void)state;
    for (ULONG i = 0; i < MANY; i++) {
        memcpy(bytes + 8 + i * 30, madt_bytes + 8, 8);
        memcpy(bytes + 16 + i * 30, madt_bytes + 32, 22);
    }
    madt = table("APIC", 3, bytes, sizeof bytes);
    acpi_read_madt(madt, &machine);
    assert_int_equal(machine.processor_count, HAL_PROCESSORS);
    assert_int_equal(machine.processors_left_out, MANY - HAL_PROCESSORS);
    assert_int_equal(machine.io_apic_count, HAL_IO_APICS);
    assert_int_equal(machine.override_count, HAL_OVERRIDES);
    drop(madt);
}

/* ACPI 1.0's: ports, no reset. */
static void test_old_fadt(void **state)
{
    UCHAR bytes[116 - 36] = { 0 };
    struct acpi_header *fadt;

    (void)state;
    put(bytes, 40, 4, 0x7FFE0040);
    put(bytes, 48, 4, 0xB2);
    put(bytes, 52, 1, 0xF1);
    put(bytes, 64, 4, 0x604);
    put(bytes, 76, 4, 0x608);
    put(bytes, 91, 1, 4);
    put(bytes, 112, 4, 0x80A5);
    fadt = table("FACP", 1, bytes, sizeof bytes);
    assert_int_equal(acpi_read_fadt(fadt, &machine), 0x7FFE0040);
    assert_int_equal(machine.control_a.space, HAL_PORT);
    assert_int_equal(machine.control_a.address, 0x604);
    assert_int_equal(machine.control_b.address, 0);
    assert_int_equal(machine.pm_timer.address, 0x608);
    assert_int_equal(machine.pm_timer_bits, 24);
    assert_int_equal(machine.smi_command, 0xB2);
    assert_int_equal(machine.enable_acpi, 0xF1);
    assert_int_equal(machine.reset.address, 0);
    assert_false(machine.no_keyboard_controller);
    drop(fadt);
}

static void test_new_fadt(void **state)
{
    UCHAR bytes[276 - 36] = { 0 };
    struct acpi_header *fadt;

    (void)state;
    put(bytes, 40, 4, 0x1000);
    put(bytes, 64, 4, 0x604);
    put(bytes, 91, 1, 4);
    put(bytes, 112, 4, 0x500);
    put(bytes, 116, 4, 0x0800);         /* memory, 8 bits */
    put(bytes, 120, 8, 0xFEDC0000);
    put(bytes, 128, 1, 0x0F);
    put(bytes, 140, 8, 0x100001000);
    put(bytes, 172, 4, 0x1001);
    put(bytes, 176, 8, 0x1804);
    put(bytes, 208, 4, 0x2001);
    put(bytes, 212, 8, 0x1808);
    fadt = table("FACP", 5, bytes, sizeof bytes);
    assert_int_equal(acpi_read_fadt(fadt, &machine), 0x100001000);
    assert_int_equal(machine.control_a.address, 0x1804);
    assert_int_equal(machine.pm_timer.address, 0x1808);
    assert_int_equal(machine.pm_timer_bits, 32);
    assert_int_equal(machine.reset.space, HAL_MEMORY);
    assert_int_equal(machine.reset.address, 0xFEDC0000);
    assert_int_equal(machine.reset_value, 0x0F);
    assert_true(machine.no_keyboard_controller);
    drop(fadt);
}

static void test_addresses(void **state)
{
    UCHAR bytes[24] = { 0 };
    struct acpi_header *made;

    (void)state;
    put(bytes, 44, 8, 0xFED00000);
    made = table("HPET", 1, bytes, 20);
    acpi_read_hpet(made, &machine);
    assert_int_equal(machine.hpet, 0xFED00000);
    drop(made);
    made = table("MCFG", 1, bytes, 24);
    acpi_read_mcfg(made, &machine);
    assert_int_equal(machine.pci_configuration, 0xFED00000);
    drop(made);
    made = table("MCFG", 1, bytes, 8);
    acpi_read_mcfg(made, &machine);
    assert_int_equal(machine.pci_configuration, 0);
    drop(made);
}

static BOOLEAN sleeps(const char *aml, ULONG size)
{
    struct acpi_header *dsdt = table("DSDT", 2, aml, size);

    acpi_read_dsdt(dsdt, &machine);
    drop(dsdt);
    return machine.can_sleep;
}

#define SLEEPS(aml) sleeps(aml, sizeof aml - 1)

static void test_sleep(void **state)
{
    (void)state;
    assert_true(SLEEPS("xx\x08_S5_\x12\x06\x04\x0A\x05\x0A\x07\0\0"));
    assert_int_equal(machine.sleep_a, 5);
    assert_int_equal(machine.sleep_b, 7);
    assert_true(SLEEPS("x\x08\\_S5_\x12\x06\x04\x00\x01\0\0"));
    assert_int_equal(machine.sleep_a, 0);
    assert_int_equal(machine.sleep_b, 1);
    /* PkgLength of two bytes, and a name that only looks like it before. */
    assert_true(SLEEPS("_S5_\x12\x06\x04\x08_S5_\x12\x46\x00\x02\x01"
                       "\x0A\x03"));
    assert_int_equal(machine.sleep_a, 1);
    assert_int_equal(machine.sleep_b, 3);
}

static void test_no_sleep(void **state)
{
    static const char whole[] = "xx\x08_S5_\x12\x06\x04\x0A\x05\x0A\x07";

    (void)state;
    assert_false(SLEEPS(""));
    assert_false(SLEEPS("xx\x08_S4_\x12\x06\x04\x0A\x05\x0A\x07\0\0"));
    assert_false(SLEEPS("xx_S5_\x12\x06\x04\x0A\x05\x0A\x07\0\0"));
    assert_false(SLEEPS("xx\x08_S5_\x13\x06\x04\x0A\x05\x0A\x07\0\0"));
    assert_false(SLEEPS("xx\x08_S5_\x12\x06\x01\x0A\x05\x0A\x07\0\0"));
    assert_false(SLEEPS("xx\x08_S5_\x12\x06\x04\x0A\x08\x0A\x07\0\0"));
    assert_false(SLEEPS("xx\x08_S5_\x12\x06\x04\x0B\x05\x00\x0A\x07\0"));
    for (ULONG size = 0; size < sizeof whole - 1; size++)
        assert_false(sleeps(whole, size));
    assert_true(SLEEPS(whole));
    assert_int_equal(machine.sleep_b, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rsdp),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_madt),
        cmocka_unit_test(test_short_madt),
        cmocka_unit_test(test_madt_that_does_not_end),
        cmocka_unit_test(test_many_of_each),
        cmocka_unit_test(test_old_fadt),
        cmocka_unit_test(test_new_fadt),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_sleep),
        cmocka_unit_test(test_no_sleep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
