/*
 * format.c - the console's printf against the C library's, and what only
 * ours has: wide text, counted strings, Windows' sizes.
 */
#include "unit.h"

/* Not <rtl.h>: its prototype would have the compiler check our formats. */
int rtl_snprintf(char *buffer, size_t size, const char *format, ...);

#define CAPACITY 300

static ULONGLONG seed = 11;

static ULONG pick(ULONG count)
{
    return (ULONG)(unit_random(&seed) >> 20) % count;
}

static ULONGLONG pick_value(void)
{
    static const ULONGLONG edges[] = {
        0, 1, ~0ULL, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF,
        0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000,
    };

    return pick(3) == 0 ? edges[pick(ARRAY_SIZE(edges))]
                        : unit_random(&seed) >> pick(64);
}

/* The same in both languages; "l" is 64 bits in one, 32 in the other. */
static const char *const sizes[][2] = {
    { "", "" }, { "hh", "hh" }, { "h", "h" }, { "ll", "ll" }, { "z", "z" },
    { "l", "" }, { "I64", "ll" },
};

struct specification {
    char flags[8], rest[32];
    int size;
};

static void make_specification(struct specification *s, const char *flags)
{
    ULONG count = pick(4);
    char *at = s->rest;

    for (ULONG i = 0; i < count; i++)
        s->flags[i] = flags[pick((ULONG)strlen(flags))];
    s->flags[count] = 0;
    *at = 0;
    if (pick(2))
        at += sprintf(at, "%u", 1 + pick(70));
    if (pick(3) == 0)
        at += sprintf(at, pick(4) ? ".%u" : ".", pick(50));
    s->size = (int)pick(ARRAY_SIZE(sizes));
}

static void compare(const char *format, const char *ours, int our_length,
                    size_t size, const char *theirs)
{
    int length = (int)strlen(theirs);
    char cut[CAPACITY];

    if (our_length != length)
        fail_msg("%s: length %d, not %d (\"%s\", \"%s\")", format, our_length,
                 length, ours, theirs);
    if (size == 0)
        return;
    snprintf(cut, size < sizeof cut ? size : sizeof cut, "%s", theirs);
    if (strcmp(ours, cut) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", format, ours, cut);
}

#define COMPARE(ours, theirs, ...)                                         \
    do {                                                                   \
        size_t size = pick(3) ? CAPACITY : pick(40);                       \
        char *mine = malloc(size ? size : 1), other[CAPACITY];             \
        int length = rtl_snprintf(mine, size, ours, __VA_ARGS__);          \
        snprintf(other, sizeof other, theirs, __VA_ARGS__);                \
        compare(ours, mine, length, size, other);                          \
        free(mine);                                                        \
    } while (0)

static void integers(void **state)
{
    (void)state;
    for (ULONG i = 0; i < 300000; i++) {
        struct specification s;
        char ours[64], theirs[64], type = "diuxXo"[pick(6)];
        ULONGLONG value = pick_value();

        make_specification(&s, "-0+# ");
        snprintf(ours, sizeof ours, "<%%%s%s%s%c>", s.flags, s.rest,
                 sizes[s.size][0], type);
        snprintf(theirs, sizeof theirs, "<%%%s%s%s%c>", s.flags, s.rest,
                 sizes[s.size][1], type);
        COMPARE(ours, theirs, value);
    }
}

static void text_and_characters(void **state)
{
    static const char *const texts[] = {
        "", "a", "KiSystemCall64", "with a % sign", "a longer text than most "
        "buffers that this test uses for it",
    };

    (void)state;
    for (ULONG i = 0; i < 50000; i++) {
        struct specification s;
        const char *text = texts[pick(ARRAY_SIZE(texts))];
        int character = 'A' + (int)pick(26);
        char format[64];

        make_specification(&s, "-");
        snprintf(format, sizeof format, "%%%s%ss|", s.flags, s.rest);
        COMPARE(format, format, text);
        s.rest[strcspn(s.rest, ".")] = 0;
        snprintf(format, sizeof format, "%%%s%sc%%%%", s.flags, s.rest);
        COMPARE(format, format, character);
    }
}

static void stars(void **state)
{
    (void)state;
    for (ULONG i = 0; i < 50000; i++) {
        int width = (int)pick(80) - 40, precision = (int)pick(40) - 10;
        ULONG value = (ULONG)pick_value();

        COMPARE("%*d|", "%*d|", width, value);
        COMPARE("%.*x|", "%.*x|", precision, value);
        COMPARE("%0*.*d|", "%0*.*d|", width, precision, value);
        COMPARE("%*.*s|", "%*.*s|", width, precision, "NtQueryObject");
    }
}

static void several_at_once(void **state)
{
    (void)state;
    for (ULONG i = 0; i < 20000; i++) {
        ULONGLONG a = pick_value(), b = pick_value();
        int c = (int)pick_value();

        COMPARE("%016llx %s %d %u%%", "%016llx %s %d %u%%", a, "mid", c,
                (ULONG)b);
        COMPARE("%hhd,%hd,%d,%lld,%zu,%c", "%hhd,%hd,%d,%lld,%zu,%c", c, c,
                c, a, b, '!');
    }
}

#define CHECK(expected, ...)                                               \
    do {                                                                   \
        char text[CAPACITY];                                               \
        int length = rtl_snprintf(text, sizeof text, __VA_ARGS__);         \
        assert_string_equal(text, expected);                               \
        assert_int_equal(length, strlen(expected));                        \
    } while (0)

static void pointers_have_sixteen_digits(void **state)
{
    (void)state;
    CHECK("fffff78000000000", "%p", (void *)0xFFFFF78000000000);
    CHECK("0000000000000000", "%p", NULL);
    CHECK("  000000007ffe0000|", "%18p|", (void *)0x7FFE0000);
    CHECK("000000007ffe0000  |", "%-18p|", (void *)0x7FFE0000);
}

static void wide_text(void **state)
{
    WCHAR raw[] = { 'n', 't', 'd', 'l', 'l', 'X', 'X' };
    UNICODE_STRING counted = { 10, 14, raw }, empty = { 0, 0, NULL };

    (void)state;
    CHECK("ntdll", "%wZ", &counted);
    CHECK("[   ntdll]", "[%8wZ]", &counted);
    CHECK("[nt      ]", "[%-8.2wZ]", &counted);
    CHECK("[]", "[%wZ]", &empty);
    CHECK("[(null)]", "[%wZ]", NULL);
    CHECK("C:\\a", "%ls", L"C:\\a");
    CHECK("[  C:]", "[%4.2ls]", L"C:\\a");
    CHECK("?x?", "%ls", (WCHAR[]){ 0xE9, 'x', 0x20AC, 0 });
    CHECK("narrow", "%hs", "narrow");
    CHECK("(null)", "%s", NULL);
}

/* Counted text ends with its count, not with a zero. */
static void counted_text_is_not_overrun(void **state)
{
    WCHAR *exact = malloc(6);
    UNICODE_STRING string = { 6, 6, exact };
    char *narrow = malloc(3);

    (void)state;
    exact[0] = 'a';
    exact[1] = 'b';
    exact[2] = 'c';
    memcpy(narrow, "xyz", 3);
    CHECK("abc", "%wZ", &string);
    CHECK("abc", "%.3ls", exact);
    CHECK("xyz", "%.3s", narrow);
    free(exact);
    free(narrow);
}

static void broken_formats_end(void **state)
{
    static const char *const formats[] = {
        "%", "%-", "%5", "%.", "%.5", "%l", "%ll", "%I64", "%#0 +-",
        "%99999999999d", "%.99999999999d", "%y", "%k%",
    };

    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(formats); i++) {
        char *copy = strdup(formats[i]), text[16];
        rtl_snprintf(text, sizeof text, copy, 1ULL);
        assert_true(strlen(text) < sizeof text);
        free(copy);
    }
    CHECK("%y", "%y", 1);
}

static void hostile_stars_end(void **state)
{
    char text[16];

    (void)state;
    rtl_snprintf(text, sizeof text, "%*d", -2147483647 - 1, 1);
    rtl_snprintf(text, sizeof text, "%.*d", -2147483647 - 1, 1);
    CHECK("1 2", "%.*d %d", -5, 1, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(text_and_characters),
        cmocka_unit_test(stars),
        cmocka_unit_test(several_at_once),
        cmocka_unit_test(pointers_have_sixteen_digits),
        cmocka_unit_test(wide_text),
        cmocka_unit_test(counted_text_is_not_overrun),
        cmocka_unit_test(broken_formats_end),
        cmocka_unit_test(hostile_stars_end),
    };
    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
