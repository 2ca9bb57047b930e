/*
 * ustring.c - counted strings, 16-bit and 8-bit.
 *
 * The 8-bit code page is Latin 1: a byte and its Unicode character have the
 * same number, and what has no byte becomes '?'.  Case covers Latin 1, Greek
 * and Cyrillic by rule; NT has a table for all of Unicode.
 */
#include <ntdll.h>

#define LONGEST 0xFFFE                          /* bytes in UNICODE_STRING */

void NTAPI RtlInitUnicodeString(UNICODE_STRING *String, const WCHAR *Text)
{
    SIZE_T size = Text ? wcslen(Text) * sizeof *Text : 0;

    if (size > LONGEST - sizeof *Text)
        size = LONGEST - sizeof *Text;
    String->Length = size;
    String->MaximumLength = Text ? size + sizeof *Text : 0;
    String->Buffer = (WCHAR *)Text;
}

NTSTATUS NTAPI RtlInitUnicodeStringEx(UNICODE_STRING *String, const WCHAR *Text)
{
    if (Text && wcslen(Text) * sizeof *Text > LONGEST - sizeof *Text)
        return STATUS_NAME_TOO_LONG;
    RtlInitUnicodeString(String, Text);
    return STATUS_SUCCESS;
}

void NTAPI RtlInitAnsiString(ANSI_STRING *String, const CHAR *Text)
{
    SIZE_T size = Text ? strlen(Text) : 0;

    if (size > LONGEST)
        size = LONGEST;
    String->Length = size;
    String->MaximumLength = Text ? size + 1 : 0;
    String->Buffer = (CHAR *)Text;
}

void NTAPI RtlInitString(STRING *String, const CHAR *Text)
{
    RtlInitAnsiString(String, Text);
}

WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR character)
{
    if (character < 0x80)
        return toupper(character);
    if ((character >= 0xE0 && character <= 0xFE && character != 0xF7) ||
        (character >= 0x3B1 && character <= 0x3C9 && character != 0x3C2) ||
        (character >= 0x430 && character <= 0x44F))
        return character - 0x20;
    if (character >= 0x450 && character <= 0x45F)
        return character - 0x50;
    return character == 0xFF ? 0x178 : character;
}

WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR character)
{
    if (character < 0x80)
        return tolower(character);
    if ((character >= 0xC0 && character <= 0xDE && character != 0xD7) ||
        (character >= 0x391 && character <= 0x3A9 && character != 0x3A2) ||
        (character >= 0x410 && character <= 0x42F))
        return character + 0x20;
    if (character >= 0x400 && character <= 0x40F)
        return character + 0x50;
    return character == 0x178 ? 0xFF : character;
}

LONG NTAPI RtlCompareUnicodeString(const UNICODE_STRING *A,
                                   const UNICODE_STRING *B, BOOLEAN IgnoreCase)
{
    ULONG shorter = A->Length < B->Length ? A->Length : B->Length, at;

    for (at = 0; at < shorter / sizeof(WCHAR); at++) {
        WCHAR x = A->Buffer[at], y = B->Buffer[at];

        if (IgnoreCase) {
            x = RtlUpcaseUnicodeChar(x);
            y = RtlUpcaseUnicodeChar(y);
        }
        if (x != y)
            return x - y;
    }
    return A->Length - B->Length;
}

BOOLEAN NTAPI RtlEqualUnicodeString(const UNICODE_STRING *A,
                                    const UNICODE_STRING *B, BOOLEAN IgnoreCase)
{
    return A->Length == B->Length &&
           RtlCompareUnicodeString(A, B, IgnoreCase) == 0;
}

BOOLEAN NTAPI RtlPrefixUnicodeString(const UNICODE_STRING *Prefix,
                                     const UNICODE_STRING *String,
                                     BOOLEAN IgnoreCase)
{
    UNICODE_STRING head = *String;

    if (head.Length < Prefix->Length)
        return FALSE;
    head.Length = Prefix->Length;
    return RtlEqualUnicodeString(Prefix, &head, IgnoreCase);
}

LONG NTAPI RtlCompareString(const STRING *A, const STRING *B,
                            BOOLEAN IgnoreCase)
{
    ULONG shorter = A->Length < B->Length ? A->Length : B->Length, at;

    for (at = 0; at < shorter; at++) {
        WCHAR x = (UCHAR)A->Buffer[at], y = (UCHAR)B->Buffer[at];

        if (IgnoreCase) {
            x = RtlUpcaseUnicodeChar(x);
            y = RtlUpcaseUnicodeChar(y);
        }
        if (x != y)
            return x - y;
    }
    return A->Length - B->Length;
}

BOOLEAN NTAPI RtlEqualString(const STRING *A, const STRING *B,
                             BOOLEAN IgnoreCase)
{
    return A->Length == B->Length && RtlCompareString(A, B, IgnoreCase) == 0;
}

/* What does not fit is cut off; a terminator is added where there is room. */
void NTAPI RtlCopyUnicodeString(UNICODE_STRING *To, const UNICODE_STRING *From)
{
    USHORT length = From ? From->Length : 0;

    if (length > To->MaximumLength)
        length = To->MaximumLength & ~1;
    if (length)
        memcpy(To->Buffer, From->Buffer, length);
    To->Length = length;
    if (length + sizeof(WCHAR) <= To->MaximumLength)
        To->Buffer[length / sizeof(WCHAR)] = 0;
}

void NTAPI RtlCopyString(STRING *To, const STRING *From)
{
    USHORT length = From ? From->Length : 0;

    if (length > To->MaximumLength)
        length = To->MaximumLength;
    if (length)
        memcpy(To->Buffer, From->Buffer, length);
    To->Length = length;
}

NTSTATUS NTAPI RtlAppendUnicodeStringToString(UNICODE_STRING *To,
                                              const UNICODE_STRING *From)
{
    ULONG length = To->Length + From->Length;

    if (length > To->MaximumLength)
        return STATUS_BUFFER_TOO_SMALL;
    if (From->Length == 0)
        return STATUS_SUCCESS;
    memmove((UCHAR *)To->Buffer + To->Length, From->Buffer, From->Length);
    To->Length = length;
    if (length + sizeof(WCHAR) <= To->MaximumLength)
        To->Buffer[length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlAppendUnicodeToString(UNICODE_STRING *To, const WCHAR *Text)
{
    UNICODE_STRING from;
    NTSTATUS status = RtlInitUnicodeStringEx(&from, Text);

    if (!NT_SUCCESS(status))
        return STATUS_BUFFER_TOO_SMALL;
    return RtlAppendUnicodeStringToString(To, &from);
}

NTSTATUS NTAPI RtlUnicodeToMultiByteSize(ULONG *Size, const WCHAR *From,
                                         ULONG FromBytes)
{
    (void)From;
    *Size = FromBytes / sizeof(WCHAR);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlMultiByteToUnicodeSize(ULONG *Size, const CHAR *From,
                                         ULONG FromBytes)
{
    (void)From;
    *Size = FromBytes * sizeof(WCHAR);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeToMultiByteN(CHAR *To, ULONG Size, ULONG *Written,
                                      const WCHAR *From, ULONG FromBytes)
{
    ULONG count = FromBytes / sizeof(WCHAR), at;
    BOOLEAN short_of_room = count > Size;

    if (short_of_room)
        count = Size;
    for (at = 0; at < count; at++)
        To[at] = From[at] < 0x100 ? From[at] : '?';
    if (Written)
        *Written = count;
    return short_of_room ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlMultiByteToUnicodeN(WCHAR *To, ULONG Size, ULONG *Written,
                                      const CHAR *From, ULONG FromBytes)
{
    ULONG count = Size / sizeof(WCHAR), at;
    BOOLEAN short_of_room = count < FromBytes;

    if (!short_of_room)
        count = FromBytes;
    for (at = 0; at < count; at++)
        To[at] = (UCHAR)From[at];
    if (Written)
        *Written = count * sizeof(WCHAR);
    return short_of_room ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

static void *allocate(SIZE_T size)
{
    return RtlAllocateHeap(NtCurrentPeb()->ProcessHeap, 0, size);
}

static void release(void *block)
{
    if (block)
        RtlFreeHeap(NtCurrentPeb()->ProcessHeap, 0, block);
}

NTSTATUS NTAPI RtlAnsiStringToUnicodeString(UNICODE_STRING *To,
                                            const ANSI_STRING *From,
                                            BOOLEAN Allocate)
{
    ULONG size = (From->Length + 1) * sizeof(WCHAR);

    if (size > LONGEST)
        return STATUS_INVALID_PARAMETER_2;
    if (Allocate) {
        To->Buffer = allocate(size);
        if (!To->Buffer)
            return STATUS_NO_MEMORY;
        To->MaximumLength = size;
    } else if (size > To->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    RtlMultiByteToUnicodeN(To->Buffer, size, NULL, From->Buffer, From->Length);
    To->Length = size - sizeof(WCHAR);
    To->Buffer[From->Length] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeStringToAnsiString(ANSI_STRING *To,
                                            const UNICODE_STRING *From,
                                            BOOLEAN Allocate)
{
    ULONG length = From->Length / sizeof(WCHAR);
    NTSTATUS status = STATUS_SUCCESS;

    if (Allocate) {
        To->Buffer = allocate(length + 1);
        if (!To->Buffer)
            return STATUS_NO_MEMORY;
        To->MaximumLength = length + 1;
    } else if (length >= To->MaximumLength) {
        if (To->MaximumLength == 0)
            return STATUS_BUFFER_OVERFLOW;
        length = To->MaximumLength - 1;
        status = STATUS_BUFFER_OVERFLOW;
    }
    RtlUnicodeToMultiByteN(To->Buffer, length, NULL, From->Buffer,
                           length * sizeof(WCHAR));
    To->Length = length;
    To->Buffer[length] = 0;
    return status;
}

NTSTATUS NTAPI RtlUpcaseUnicodeString(UNICODE_STRING *To,
                                      const UNICODE_STRING *From,
                                      BOOLEAN Allocate)
{
    ULONG at;

    if (Allocate) {
        To->Buffer = allocate(From->Length ? From->Length : 1);
        if (!To->Buffer)
            return STATUS_NO_MEMORY;
        To->MaximumLength = From->Length;
    } else if (From->Length > To->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    for (at = 0; at < From->Length / sizeof(WCHAR); at++)
        To->Buffer[at] = RtlUpcaseUnicodeChar(From->Buffer[at]);
    To->Length = From->Length;
    return STATUS_SUCCESS;
}

BOOLEAN NTAPI RtlCreateUnicodeString(UNICODE_STRING *String, const WCHAR *Text)
{
    SIZE_T size = (wcslen(Text) + 1) * sizeof *Text;

    if (size > LONGEST)
        return FALSE;
    String->Buffer = allocate(size);
    if (!String->Buffer)
        return FALSE;
    memcpy(String->Buffer, Text, size);
    String->MaximumLength = size;
    String->Length = size - sizeof *Text;
    return TRUE;
}

BOOLEAN NTAPI RtlCreateUnicodeStringFromAsciiz(UNICODE_STRING *String,
                                               const CHAR *Text)
{
    ANSI_STRING from;

    RtlInitAnsiString(&from, Text);
    return NT_SUCCESS(RtlAnsiStringToUnicodeString(String, &from, TRUE));
}

void NTAPI RtlFreeUnicodeString(UNICODE_STRING *String)
{
    release(String->Buffer);
    memset(String, 0, sizeof *String);
}

void NTAPI RtlFreeAnsiString(ANSI_STRING *String)
{
    release(String->Buffer);
    memset(String, 0, sizeof *String);
}
