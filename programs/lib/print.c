/*
 * lib/print.c - printf to standard output, and statuses by name.
 */
#include "print.h"

#define NAME(status) { status, #status }

static const struct {
    NTSTATUS status;
    const char *name;
} names[] = {
    NAME(STATUS_SUCCESS),
    NAME(STATUS_DATATYPE_MISALIGNMENT),
    NAME(STATUS_ACCESS_VIOLATION),
    NAME(STATUS_INVALID_HANDLE),
    NAME(STATUS_INVALID_PARAMETER),
    NAME(STATUS_END_OF_FILE),
    NAME(STATUS_INVALID_SYSTEM_SERVICE),
    NAME(STATUS_ACCESS_DENIED),
    NAME(STATUS_OBJECT_NAME_NOT_FOUND),
    NAME(STATUS_DEBUGGER_INACTIVE),
    NAME(STATUS_INVALID_INFO_CLASS),
    NAME(STATUS_INFO_LENGTH_MISMATCH),
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
