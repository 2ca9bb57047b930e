/*
 * text.c - memory, text and counted strings, against the C library's.
 *
 * unit.mk compiles rtl/memory.c and rtl/text.c with their functions renamed
 * (memcpy becomes rtl_memcpy), because the host has its own.
 */
#include "unit.h"

void *rtl_memcpy(void *to, const void *from, size_t size);
void *rtl_memmove(void *to, const void *from, size_t size);
void *rtl_memset(void *to, int byte, size_t size);
int rtl_memcmp(const void *a, const void *b, size_t size);
size_t rtl_strlen(const char *text);
int rtl_strcmp(const char *a, const char *b);
int rtl_strncmp(const char *a, const char *b, size_t size);
char *rtl_strchr(const char *text, int character);

#include <rtl.h>

#define AREA 96

static ULONGLONG seed = 5;

static ULONG pick(ULONG count)
{
    return (ULONG)(unit_random(&seed) >> 20) % count;
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void fill(UCHAR *area)
{
    for (ULONG i = 0; i < AREA; i++)
        area[i] = (UCHAR)unit_random(&seed);
}

/* Source and target overlap in every way. */
static void moves(void **state)
{
    UCHAR mine[AREA], other[AREA];

    (void)state;
    for (ULONG i = 0; i < 100000; i++) {
        ULONG to = pick(AREA), from = pick(AREA);
        ULONG size = pick(AREA - (to > from ? to : from) + 1);

        fill(mine);
        memcpy(other, mine, AREA);
        assert_ptr_equal(rtl_memmove(mine + to, mine + from, size),
                         mine + to);
        memmove(other + to, other + from, size);
        assert_memory_equal(mine, other, AREA);
    }
}

static void copies_and_fills(void **state)
{
    UCHAR mine[AREA], other[AREA], from[AREA];

    (void)state;
    for (ULONG i = 0; i < 50000; i++) {
        ULONG to = pick(AREA), size = pick(AREA - to + 1);

        fill(mine);
        fill(from);
        memcpy(other, mine, AREA);
        assert_ptr_equal(rtl_memcpy(mine + to, from, size), mine + to);
        memcpy(other + to, from, size);
        assert_memory_equal(mine, other, AREA);
        assert_ptr_equal(rtl_memset(mine + to, (int)i, size), mine + to);
        memset(other + to, (int)i, size);
        assert_memory_equal(mine, other, AREA);
    }
}

static void comparisons(void **state)
{
    char a[8], b[8];

    (void)state;
    for (ULONG i = 0; i < 200000; i++) {
        ULONG size = pick(9);

        for (ULONG at = 0; at < 7; at++) {
            a[at] = "ab\x80\0"[pick(4)];
            b[at] = pick(4) ? a[at] : (char)unit_random(&seed);
        }
        a[7] = b[7] = 0;
        assert_int_equal(sign(rtl_memcmp(a, b, size)),
                         sign(memcmp(a, b, size)));
        assert_int_equal(sign(rtl_strcmp(a, b)), sign(strcmp(a, b)));
        assert_int_equal(sign(rtl_strncmp(a, b, size)),
                         sign(strncmp(a, b, size)));
        assert_int_equal(rtl_strlen(a), strlen(a));
        assert_ptr_equal(rtl_strchr(a, b[0]), strchr(a, b[0]));
        assert_ptr_equal(rtl_strchr(a, 'q'), strchr(a, 'q'));
    }
}

static void upper_case(void **state)
{
    (void)state;
    for (ULONG c = 0; c < 0x10000; c++) {
        WCHAR upper = RtlUpcaseUnicodeChar((WCHAR)c);
        assert_int_equal(RtlUpcaseUnicodeChar(upper), upper);
        if (c < 0x80)
            assert_int_equal(upper, c >= 'a' && c <= 'z' ? c - 32 : c);
    }
    assert_int_equal(RtlUpcaseUnicodeChar(0xE9), 0xC9);
    assert_int_equal(RtlUpcaseUnicodeChar(0xF7), 0xF7);
    assert_int_equal(RtlUpcaseUnicodeChar(0xFF), 0x178);
    assert_int_equal(RtlUpcaseUnicodeChar(0xDF), 0xDF);
    assert_int_equal(RtlUpcaseUnicodeChar(0xB5), 0xB5);
}

static void counted_strings(void **state)
{
    UNICODE_STRING a, b, empty;

    (void)state;
    RtlInitUnicodeString(&empty, NULL);
    assert_int_equal(empty.Length | empty.MaximumLength, 0);
    assert_null(empty.Buffer);
    RtlInitUnicodeString(&a, L"\\SystemRoot\\");
    assert_int_equal(a.Length, 24);
    assert_int_equal(a.MaximumLength, 26);
    RtlInitUnicodeString(&b, L"\\systemroot\\ntdll.dll");
    assert_true(RtlPrefixUnicodeString(&a, &b, TRUE));
    assert_false(RtlPrefixUnicodeString(&a, &b, FALSE));
    assert_false(RtlPrefixUnicodeString(&b, &a, TRUE));
    assert_false(RtlEqualUnicodeString(&a, &b, TRUE));
    assert_true(RtlPrefixUnicodeString(&empty, &b, FALSE));
    b.Length = a.Length;
    assert_true(RtlEqualUnicodeString(&a, &b, TRUE));
    assert_false(RtlEqualUnicodeString(&a, &b, FALSE));
    assert_true(RtlEqualUnicodeString(&empty, &empty, FALSE));
}

/* The longest text a USHORT of bytes, with its terminator, can count. */
static void very_long_text(void **state)
{
    WCHAR *text = calloc(0x9000, sizeof *text);
    UNICODE_STRING string;

    (void)state;
    for (ULONG i = 0; i < 0x8FFF; i++)
        text[i] = 'x';
    RtlInitUnicodeString(&string, text);
    assert_int_equal(string.Length, 0xFFFC);
    assert_int_equal(string.MaximumLength, 0xFFFE);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves),
        cmocka_unit_test(copies_and_fills),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(upper_case),
        cmocka_unit_test(counted_strings),
        cmocka_unit_test(very_long_text),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
