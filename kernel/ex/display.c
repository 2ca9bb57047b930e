/*
 * ex/display.c - NtDisplayString: text on the screen before there are files.
 *
 * The consoles know ASCII; any other character appears as "?".  NT: wants
 * SeTcbPrivilege and works until the graphics driver takes the screen over.
 */
#include <kd.h>
#include <mm.h>
#include <nt/ntapi.h>

#define EXP_CHUNK 128

NTSTATUS NtDisplayString(const UNICODE_STRING *String)
{
    UNICODE_STRING text;
    CHAR chunk[EXP_CHUNK];
    ULONG used = 0;
    NTSTATUS status = mm_capture_string(String, &text);

    if (!NT_SUCCESS(status))
        return status;
    for (ULONG i = 0; i < text.Length / sizeof(WCHAR); i++) {
        WCHAR c = text.Buffer[i];

        chunk[used++] = c < 0x80 ? (CHAR)c : '?';
        if (used == EXP_CHUNK) {
            kd_write(chunk, used);
            used = 0;
        }
    }
    kd_write(chunk, used);
    mm_free_string(&text);
    return STATUS_SUCCESS;
}
