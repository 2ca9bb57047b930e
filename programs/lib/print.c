/*
 * lib/print.c - printf to standard output, and statuses by name.
 */
#include "print.h"

/* Of two names of one status the first counts (nt/ntstatus.h). */
#define STATUS(status) { status, #status },

static const struct {
    NTSTATUS status;
    const char *name;
} names[] = {
#include <statuses.inc.c>
};

void print(const char *format, ...)
{
    static HANDLE output;
    IO_STATUS_BLOCK io;
    char text[500];
    va_list list;
    int length;

    if (!output)
        output = NtCurrentPeb()->ProcessParameters->StandardOutput;
    va_start(list, format);
    length = _vsnprintf(text, sizeof text, format, list);
    va_end(list);
    NtWriteFile(output, NULL, NULL, NULL, &io, text,
                length < 0 ? sizeof text : (ULONG)length, NULL, NULL);
}

const char *status_name(NTSTATUS status)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(names); at++)
        if (names[at].status == status)
            return names[at].name;
    return "";
}
