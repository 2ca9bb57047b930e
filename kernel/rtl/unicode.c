/*
 * rtl/unicode.c - counted UTF-16 strings.
 *
 * Upper case is Latin-1's, which is what the names in this kernel use; NT
 * takes it from a table in the registry's code page files.
 */
#include <rtl.h>

WCHAR RtlUpcaseUnicodeChar(WCHAR character)
{
    if ((character >= 'a' && character <= 'z') ||
        (character >= 0xE0 && character <= 0xFE && character != 0xF7))
        return character - 0x20;
    if (character == 0xFF)
        return 0x178;
    return character;
}

void RtlInitUnicodeString(UNICODE_STRING *string, const WCHAR *text)
{
    SIZE_T length = 0;

    while (text && text[length] && length < 0x7FFE)
        length++;
    string->Length = (USHORT)(length * sizeof(WCHAR));
    string->MaximumLength = text ? (USHORT)(string->Length + sizeof(WCHAR))
                                 : 0;
    string->Buffer = (WCHAR *)text;
}

static BOOLEAN equal(const WCHAR *a, const WCHAR *b, SIZE_T characters,
                     BOOLEAN ignore_case)
{
    for (SIZE_T i = 0; i < characters; i++) {
        if (a[i] == b[i])
            continue;
        if (!ignore_case ||
            RtlUpcaseUnicodeChar(a[i]) != RtlUpcaseUnicodeChar(b[i]))
            return FALSE;
    }
    return TRUE;
}

BOOLEAN RtlEqualUnicodeString(const UNICODE_STRING *a, const UNICODE_STRING *b,
                              BOOLEAN ignore_case)
{
    return a->Length == b->Length &&
           equal(a->Buffer, b->Buffer, a->Length / sizeof(WCHAR),
                 ignore_case);
}

BOOLEAN RtlPrefixUnicodeString(const UNICODE_STRING *prefix,
                               const UNICODE_STRING *string,
                               BOOLEAN ignore_case)
{
    return prefix->Length <= string->Length &&
           equal(prefix->Buffer, string->Buffer,
                 prefix->Length / sizeof(WCHAR), ignore_case);
}
