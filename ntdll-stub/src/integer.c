/*
 * integer.c - numbers to and from NT's strings.
 */
#include <ntdll.h>

/* 0 leaves the base to the text's prefix: 0x, 0o, 0b. */
static BOOLEAN valid_base(ULONG base)
{
    return base == 0 || base == 2 || base == 8 || base == 10 || base == 16;
}

static ULONG prefix_base(WCHAR zero, WCHAR letter)
{
    if (zero != '0')
        return 0;
    return letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
}

static ULONG digit_value(WCHAR character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    return 99;
}

/* Blanks, a sign, a prefix, digits: whatever follows ends the number. */
static NTSTATUS parse(const WCHAR *at, SIZE_T count, ULONG base, ULONG *value)
{
    const WCHAR *end = at + count;
    BOOLEAN negative = FALSE;
    ULONG result = 0;

    if (!valid_base(base))
        return STATUS_INVALID_PARAMETER;
    while (at < end && *at <= ' ')
        at++;
    if (at < end && (*at == '-' || *at == '+'))
        negative = *at++ == '-';
    if (base == 0) {
        base = 10;
        if (end - at >= 2 && prefix_base(at[0], at[1])) {
            base = prefix_base(at[0], at[1]);
            at += 2;
        }
    }
    for (; at < end && digit_value(*at) < base; at++)
        result = result * base + digit_value(*at);
    *value = negative ? 0 - result : result;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeStringToInteger(const UNICODE_STRING *String,
                                         ULONG Base, ULONG *Value)
{
    return parse(String->Buffer, String->Length / sizeof(WCHAR), Base, Value);
}

NTSTATUS NTAPI RtlCharToInteger(const CHAR *Text, ULONG Base, ULONG *Value)
{
    WCHAR wide[80];
    SIZE_T count = 0;

    while (*Text && (UCHAR)*Text <= ' ')
        Text++;
    for (; Text[count] && count < ARRAY_SIZE(wide); count++)
        wide[count] = (UCHAR)Text[count];
    return parse(wide, count, Base, Value);
}

/* Digits of value, last first; returns how many. */
static ULONG digits_of(ULONG value, ULONG base, CHAR digits[32])
{
    ULONG count = 0;

    do {
        digits[count++] = "0123456789ABCDEF"[value % base];
        value /= base;
    } while (value);
    return count;
}

/* A negative Length asks for leading zeros up to that many digits. */
NTSTATUS NTAPI RtlIntegerToChar(ULONG Value, ULONG Base, LONG Length,
                                CHAR *Text)
{
    ULONG count, room = Length < 0 ? 0 - (ULONG)Length : (ULONG)Length;
    CHAR digits[32];

    if (!valid_base(Base))
        return STATUS_INVALID_PARAMETER;
    count = digits_of(Value, Base ? Base : 10, digits);
    if (count > room)
        return STATUS_BUFFER_OVERFLOW;
    if (Length < 0) {
        memset(Text, '0', room - count);
        Text += room - count;
    }
    if (Length >= 0 && count < room)
        Text[count] = 0;
    while (count)
        *Text++ = digits[--count];
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlIntegerToUnicodeString(ULONG Value, ULONG Base,
                                         UNICODE_STRING *String)
{
    ANSI_STRING text;
    CHAR buffer[33];
    NTSTATUS status = RtlIntegerToChar(Value, Base, sizeof buffer, buffer);

    if (!NT_SUCCESS(status))
        return status;
    RtlInitAnsiString(&text, buffer);
    return RtlAnsiStringToUnicodeString(String, &text, FALSE);
}
