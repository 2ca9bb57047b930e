/*
 * cstdlib.c - C's character classes, numbers from text, sorting.
 */
#include <ntdll.h>

int isdigit(int character)
{
    return character >= '0' && character <= '9';
}

int isupper(int character)
{
    return character >= 'A' && character <= 'Z';
}

int islower(int character)
{
    return character >= 'a' && character <= 'z';
}

int isalpha(int character)
{
    return isupper(character) || islower(character);
}

int isalnum(int character)
{
    return isalpha(character) || isdigit(character);
}

int isxdigit(int character)
{
    return isdigit(character) || (tolower(character) >= 'a' &&
                                  tolower(character) <= 'f');
}

int isspace(int character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

int isprint(int character)
{
    return character >= ' ' && character <= '~';
}

int tolower(int character)
{
    return isupper(character) ? character + 'a' - 'A' : character;
}

int toupper(int character)
{
    return islower(character) ? character + 'A' - 'a' : character;
}

WCHAR towlower(WCHAR character)
{
    return character < 0x80 ? tolower(character) : character;
}

WCHAR towupper(WCHAR character)
{
    return character < 0x80 ? toupper(character) : character;
}

static int digit_value(char character)
{
    if (isdigit(character))
        return character - '0';
    if (isalpha(character))
        return toupper(character) - 'A' + 10;
    return 99;
}

/*
 * Magnitude and sign of a number at the start of text; stops counting at
 * limit, above every value that fits.  *end is text when there is no number.
 */
static ULONGLONG parse(const char *text, const char **end, int base,
                       ULONGLONG limit, BOOLEAN *negative)
{
    const char *at = text;
    ULONGLONG value = 0;
    BOOLEAN any = FALSE;

    while (isspace((UCHAR)*at))
        at++;
    *negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    if ((base == 0 || base == 16) && at[0] == '0' &&
        tolower(at[1]) == 'x' && isxdigit(at[2])) {
        at += 2;
        base = 16;
    }
    if (base == 0)
        base = *at == '0' ? 8 : 10;
    for (; digit_value(*at) < base; at++) {
        ULONGLONG digit = digit_value(*at);

        any = TRUE;
        if (value > (limit - digit) / base)
            value = limit;
        else
            value = value * base + digit;
    }
    *end = any ? at : text;
    return value;
}

LONG strtol(const char *text, char **end, int base)
{
    const char *stop;
    BOOLEAN negative;
    ULONGLONG value = parse(text, &stop, base, 0x80000000ULL, &negative);

    if (end)
        *end = (char *)stop;
    if (negative)
        return (LONG)-(LONGLONG)value;
    return value > 0x7FFFFFFF ? 0x7FFFFFFF : (LONG)value;
}

ULONG strtoul(const char *text, char **end, int base)
{
    const char *stop;
    BOOLEAN negative;
    ULONGLONG value = parse(text, &stop, base, 0x100000000ULL, &negative);

    if (end)
        *end = (char *)stop;
    if (value > 0xFFFFFFFF)
        return 0xFFFFFFFF;
    return negative ? -(ULONG)value : (ULONG)value;
}

LONG atol(const char *text)
{
    return strtol(text, NULL, 10);
}

int atoi(const char *text)
{
    return atol(text);
}

LONGLONG _atoi64(const char *text)
{
    const char *stop;
    BOOLEAN negative;
    ULONGLONG value = parse(text, &stop, 10, 1ULL << 63, &negative);

    if (negative)
        return (LONGLONG)(0 - value);
    return value >> 63 ? INT64_MAX : (LONGLONG)value;
}

int abs(int value)
{
    return value < 0 ? (int)(0 - (unsigned)value) : value;
}

LONG labs(LONG value)
{
    return abs(value);
}

static void swap(UCHAR *a, UCHAR *b, size_t size)
{
    for (; size; size--, a++, b++) {
        UCHAR kept = *a;

        *a = *b;
        *b = kept;
    }
}

/* Heapsort: no recursion, no memory, no bad case. */
static void sift(UCHAR *base, size_t root, size_t count, size_t size,
                 int (*compare)(const void *, const void *))
{
    for (;;) {
        size_t child = root * 2 + 1;

        if (child >= count)
            return;
        if (child + 1 < count &&
            compare(base + child * size, base + (child + 1) * size) < 0)
            child++;
        if (compare(base + root * size, base + child * size) >= 0)
            return;
        swap(base + root * size, base + child * size, size);
        root = child;
    }
}

void qsort(void *base, size_t count, size_t size,
           int (*compare)(const void *, const void *))
{
    size_t at;

    for (at = count / 2; at--;)
        sift(base, at, count, size, compare);
    for (at = count; at-- > 1;) {
        swap(base, (UCHAR *)base + at * size, size);
        sift(base, 0, at, size, compare);
    }
}

void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *, const void *))
{
    const UCHAR *low = base;

    while (count) {
        const UCHAR *middle = low + count / 2 * size;
        int order = compare(key, middle);

        if (order == 0)
            return (void *)middle;
        if (order > 0) {
            low = middle + size;
            count -= count / 2 + 1;
        } else {
            count /= 2;
        }
    }
    return NULL;
}
