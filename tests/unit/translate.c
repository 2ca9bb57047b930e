/*
 * translate.c - 64-bit forms of 32-bit structures, and the way back.
 *
 * User memory is two arrays: a page of the caller's, whose second half cannot
 * be written, and the translation area.  Everything else faults.
 */
#include "unit.h"

#include <wow64/wow64p.h>

#define CALLER 0x00400000U
#define CALLER_SIZE 0x100U
#define READ_ONLY (CALLER + CALLER_SIZE / 2)
#define NOWHERE 0x00500000U

static UCHAR caller[CALLER_SIZE], area[WOW64_TRANSLATION_SIZE];
static BOOLEAN guarded;

/* ---- What translate.c asks of the kernel ---- */

void ke_assert_failed(const char *condition, const char *file, ULONG line)
{
    fail_msg("%s:%u: %s", file, line, condition);
    abort();
}

ULONGLONG wow64p_translation(void)
{
    return WOW64_TRANSLATION;
}

static UCHAR *find(const void *address, SIZE_T size, BOOLEAN write)
{
    ULONGLONG at = (ULONG_PTR)address;
    ULONG reach = write ? READ_ONLY : CALLER + CALLER_SIZE;

    if (at >= CALLER && at + size <= reach)
        return caller + (at - CALLER);
    if (at >= WOW64_TRANSLATION &&
        at + size <= WOW64_TRANSLATION + WOW64_TRANSLATION_SIZE)
        return area + (at - WOW64_TRANSLATION);
    return NULL;
}

static NTSTATUS fault(void)
{
    return guarded ? STATUS_GUARD_PAGE_VIOLATION : STATUS_ACCESS_VIOLATION;
}

NTSTATUS mm_copy_from_user(void *to, const void *from, SIZE_T size)
{
    UCHAR *memory = find(from, size, FALSE);

    if (!memory)
        return fault();
    memcpy(to, memory, size);
    return STATUS_SUCCESS;
}

NTSTATUS mm_copy_to_user(void *to, const void *from, SIZE_T size)
{
    UCHAR *memory = find(to, size, TRUE);

    if (!memory)
        return fault();
    memcpy(memory, from, size);
    return STATUS_SUCCESS;
}

NTSTATUS mm_probe_for_write(void *address, SIZE_T size, ULONG alignment)
{
    assert_int_equal(alignment, 1);
    return find(address, size, TRUE) ? STATUS_SUCCESS : fault();
}

/* ---- Helpers ---- */

static int reset(void **state)
{
    (void)state;
    memset(caller, 0xCC, sizeof caller);
    memset(area, 0xDD, sizeof area);
    guarded = FALSE;
    return 0;
}

static void put(ULONG address, ULONG value)
{
    memcpy(caller + (address - CALLER), &value, sizeof value);
}

static ULONG get(ULONG address)
{
    ULONG value;

    memcpy(&value, caller + (address - CALLER), sizeof value);
    return value;
}

/* One argument; its 64-bit form, where the service would find it. */
static void *translate(struct wow64p_call *call, const char *letters,
                       ULONG pointer)
{
    *call = (struct wow64p_call){ .letters = letters, .count = 1,
                                  .values = { pointer } };
    assert_int_equal(wow64p_translate(call), STATUS_SUCCESS);
    return find((void *)call->values[0], 1, TRUE);
}

static void is_refused(const char *letters, ULONG pointer)
{
    struct wow64p_call call;

    assert_null(translate(&call, letters, pointer));
    assert_true(call.values[0] >= MM_USER_PROBE_ADDRESS);
    assert_int_equal(call.values[0] & 3, pointer & 3);
    wow64p_return(&call, STATUS_SUCCESS);
}

/* ---- Tests ---- */

static void null_stays(void **state)
{
    (void)state;
    for (const char *at = "HIPNOU"; *at; at++) {
        const char letters[] = { *at, 0 };
        struct wow64p_call call;

        translate(&call, letters, 0);
        assert_true(call.values[0] == 0);
        wow64p_return(&call, STATUS_SUCCESS);
    }
}

static void bad_pointers(void **state)
{
    static const ULONG bad[] = {
        1, NOWHERE, CALLER - 1, CALLER + CALLER_SIZE - 1, 0x80000000,
        0xFFFFFFF8, 0xFFFFFFFD, 0xFFFFFFFF,
    };

    (void)state;
    for (const char *at = "HIPNOU"; *at; at++) {
        const char letters[] = { *at, 0 };

        for (ULONG i = 0; i < ARRAY_SIZE(bad); i++)
            is_refused(letters, bad[i]);
        if (strchr("HIPN", *at))
            is_refused(letters, READ_ONLY - 1);
    }
}

/* A guard page that was touched is one no more: its fault is not repeated. */
static void guard_pages(void **state)
{
    (void)state;
    guarded = TRUE;
    for (const char *at = "HIPNOU"; *at; at++) {
        const char letters[] = { *at, 0 };
        struct wow64p_call call = { .letters = letters, .count = 1,
                                    .values = { NOWHERE } };

        assert_int_equal(wow64p_translate(&call),
                         STATUS_GUARD_PAGE_VIOLATION);
    }
}

static void alignment_is_kept(void **state)
{
    (void)state;
    for (const char *at = "HIPNOU"; *at; at++) {
        const char letters[] = { *at, 0 };

        for (ULONG off = 0; off < 8; off++) {
            struct wow64p_call call;

            assert_non_null(translate(&call, letters, CALLER + off));
            assert_int_equal(call.values[0] & 3, off & 3);
        }
    }
}

static void results(void **state)
{
    const ULONGLONG handle = 0x44, large = 0x123456789;
    struct wow64p_call call;
    void *form;

    (void)state;
    for (const char *at = "HN"; *at; at++) {
        const char letters[] = { *at, 0 };

        translate(&call, letters, CALLER + 5);
        wow64p_return(&call, STATUS_SUCCESS);
        assert_int_equal(get(CALLER + 5), 0xCCCCCCCC);

        form = translate(&call, letters, CALLER + 5);
        memcpy(form, &handle, sizeof handle);
        wow64p_return(&call, STATUS_SUCCESS);
        assert_int_equal(get(CALLER + 5), 0x44);
        assert_int_equal(caller[9], 0xCC);

        form = translate(&call, letters, CALLER + 5);
        memcpy(form, &large, sizeof large);
        wow64p_return(&call, STATUS_SUCCESS);
        assert_int_equal(get(CALLER + 5), 0xFFFFFFFF);
        reset(NULL);
    }
}

static void values(void **state)
{
    const ULONGLONG changed = 0x20000;
    struct wow64p_call call;
    void *form;

    (void)state;
    put(CALLER + 8, 0xFFFFFFFE);
    form = translate(&call, "P", CALLER + 8);
    assert_true(*(ULONGLONG *)form == 0xFFFFFFFE);
    memcpy(form, &changed, sizeof changed);
    wow64p_return(&call, STATUS_ACCESS_DENIED);
    assert_int_equal(get(CALLER + 8), 0xFFFFFFFE);
    wow64p_return(&call, STATUS_IMAGE_NOT_AT_BASE);
    assert_int_equal(get(CALLER + 8), 0x20000);
    assert_int_equal(caller[7], 0xCC);
    assert_int_equal(caller[12], 0xCC);
}

static void status_blocks(void **state)
{
    const IO_STATUS_BLOCK done = { .Status = STATUS_END_OF_FILE,
                                   .Information = 0x77 };
    struct wow64p_call call;
    void *form;

    (void)state;
    translate(&call, "I", CALLER + 0x10);
    wow64p_return(&call, STATUS_INVALID_HANDLE);
    assert_int_equal(get(CALLER + 0x10), 0xCCCCCCCC);
    assert_int_equal(get(CALLER + 0x14), 0xCCCCCCCC);

    form = translate(&call, "I", CALLER + 0x10);
    memcpy(form, &done, sizeof done);
    wow64p_return(&call, STATUS_END_OF_FILE);
    assert_int_equal(get(CALLER + 0x10), (ULONG)STATUS_END_OF_FILE);
    assert_int_equal(get(CALLER + 0x14), 0x77);
    assert_int_equal(caller[0x0F], 0xCC);
    assert_int_equal(caller[0x18], 0xCC);
}

static void strings(void **state)
{
    UNICODE_STRING form;
    struct wow64p_call call;

    (void)state;
    put(READ_ONLY, 0x00120006);         /* strings are only read */
    put(READ_ONLY + 4, 0xFEDCBA98);
    memcpy(&form, translate(&call, "U", READ_ONLY), sizeof form);
    assert_int_equal(form.Length, 6);
    assert_int_equal(form.MaximumLength, 0x12);
    assert_true((ULONG_PTR)form.Buffer == 0xFEDCBA98);
}

static void put_attributes(ULONG at, ULONG length, ULONG name)
{
    put(at, length);
    put(at + 4, 0xFFFFFFFE);
    put(at + 8, name);
    put(at + 0x0C, 0x40);
    put(at + 0x10, 0x80000004);
    put(at + 0x14, 0x90000008);
}

static void attributes(void **state)
{
    OBJECT_ATTRIBUTES form;
    struct wow64p_call call;

    (void)state;
    put_attributes(READ_ONLY, 24, CALLER + 2);
    put(CALLER + 2, 0x00080004);
    put(CALLER + 6, 0x12345678);
    memcpy(&form, translate(&call, "O", READ_ONLY), sizeof form);
    assert_int_equal(form.Length, sizeof form);
    assert_true((LONG_PTR)form.RootDirectory == -2);
    assert_int_equal(form.Attributes, 0x40);
    assert_true((ULONG_PTR)form.SecurityDescriptor == 0x80000004);
    assert_true((ULONG_PTR)form.SecurityQualityOfService == 0x90000008);
    assert_int_equal((ULONG_PTR)form.ObjectName & 3, 2);

    UNICODE_STRING name;
    memcpy(&name, find(form.ObjectName, sizeof name, TRUE), sizeof name);
    assert_int_equal(name.Length, 4);
    assert_true((ULONG_PTR)name.Buffer == 0x12345678);
}

static void odd_attributes(void **state)
{
    static const ULONG lengths[] = { 0, 23, 25, 48, 0xFFFFFFFF };
    OBJECT_ATTRIBUTES form;
    struct wow64p_call call;

    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(lengths); i++) {
        put_attributes(CALLER, lengths[i], 0);
        memcpy(&form, translate(&call, "O", CALLER), sizeof form);
        assert_int_not_equal(form.Length, sizeof form);
    }
    put_attributes(CALLER, 24, 0);
    memcpy(&form, translate(&call, "O", CALLER), sizeof form);
    assert_null(form.ObjectName);
    put_attributes(CALLER, 24, NOWHERE + 1);
    memcpy(&form, translate(&call, "O", CALLER), sizeof form);
    assert_true((ULONG_PTR)form.ObjectName == MM_USER_PROBE_ADDRESS + 1);
}

/* Every place of a call with 18 structures is its own. */
static void many_arguments(void **state)
{
    struct wow64p_call call = { .letters = "PPPPPPPPPPPPPPPPPP",
                                .count = WOW64P_ARGUMENTS };

    (void)state;
    for (ULONG i = 0; i < call.count; i++) {
        put(CALLER + 4 * i, 0x1000 + i);
        call.values[i] = CALLER + 4 * i;
    }
    assert_int_equal(wow64p_translate(&call), STATUS_SUCCESS);
    for (ULONG i = 0; i < call.count; i++) {
        ULONGLONG *form = (void *)find((void *)call.values[i], 8, TRUE);

        assert_true(*form == 0x1000 + i);
        *form = 0x2000 + i;
    }
    wow64p_return(&call, STATUS_SUCCESS);
    for (ULONG i = 0; i < call.count; i++)
        assert_int_equal(get(CALLER + 4 * i), 0x2000 + i);
    assert_int_equal(caller[4 * WOW64P_ARGUMENTS], 0xCC);
}

/* Numbers are left alone, whatever they look like. */
static void other_letters(void **state)
{
    struct wow64p_call call = { .letters = "pushq", .count = 5 };

    (void)state;
    for (ULONG i = 0; i < call.count; i++)
        call.values[i] = NOWHERE + i;
    assert_int_equal(wow64p_translate(&call), STATUS_SUCCESS);
    wow64p_return(&call, STATUS_SUCCESS);
    for (ULONG i = 0; i < call.count; i++)
        assert_int_equal(call.values[i], NOWHERE + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(null_stays, reset),
        cmocka_unit_test_setup(bad_pointers, reset),
        cmocka_unit_test_setup(guard_pages, reset),
        cmocka_unit_test_setup(alignment_is_kept, reset),
        cmocka_unit_test_setup(results, reset),
        cmocka_unit_test_setup(values, reset),
        cmocka_unit_test_setup(status_blocks, reset),
        cmocka_unit_test_setup(strings, reset),
        cmocka_unit_test_setup(attributes, reset),
        cmocka_unit_test_setup(odd_attributes, reset),
        cmocka_unit_test_setup(many_arguments, reset),
        cmocka_unit_test_setup(other_letters, reset),
    };
    return cmocka_run_group_tests_name("translate", tests, NULL, NULL);
}
