/*
 * debug.c - DbgPrint and breakpoints.
 *
 * NT: DbgPrint raises int 2Dh so that the debugger shows the text. Here it
 * goes to the console with NtDisplayString: there is no debugger to hear it.
 */
#include <ntdll.h>

#define LINE 512                                /* bytes, as in NT */

/* In one piece: another thread's text comes before or behind it. */
static ULONG display(const char *text, int length)
{
    WCHAR wide[LINE];
    UNICODE_STRING string = { .Buffer = wide, .MaximumLength = sizeof wide };
    int at;

    for (at = 0; at < length; at++)
        wide[at] = (UCHAR)text[at];
    string.Length = length * sizeof *wide;
    NtDisplayString(&string);
    return STATUS_SUCCESS;
}

ULONG NTAPI vDbgPrintExWithPrefix(const char *Prefix, ULONG Component,
                                  ULONG Level, const char *Format,
                                  va_list Arguments)
{
    char text[LINE];
    size_t start = strnlen(Prefix, sizeof text);
    int length;

    (void)Component;
    (void)Level;
    memcpy(text, Prefix, start);
    length = _vsnprintf(text + start, sizeof text - start, Format, Arguments);
    return display(text, length < 0 ? (int)sizeof text : (int)start + length);
}

ULONG NTAPI vDbgPrintEx(ULONG Component, ULONG Level, const char *Format,
                        va_list Arguments)
{
    return vDbgPrintExWithPrefix("", Component, Level, Format, Arguments);
}

ULONG DbgPrintEx(ULONG Component, ULONG Level, const char *Format, ...)
{
    va_list list;
    ULONG status;

    va_start(list, Format);
    status = vDbgPrintEx(Component, Level, Format, list);
    va_end(list);
    return status;
}

ULONG DbgPrint(const char *Format, ...)
{
    va_list list;
    ULONG status;

    va_start(list, Format);
    status = vDbgPrintEx(~0u, 0, Format, list);
    va_end(list);
    return status;
}

void NTAPI DbgBreakPoint(void)
{
    __asm__ volatile("int3");
}

void NTAPI DbgUserBreakPoint(void)
{
    __asm__ volatile("int3");
}
