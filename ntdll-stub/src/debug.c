/*
 * debug.c - DbgPrint and breakpoints.
 *
 * The text goes to the debugger by INT 2Dh; without one this kernel shows it
 * on the console.
 */
#include "debugservice.h"

#include <ntdll.h>

#define LINE 512                                /* bytes, as in NT */

ULONG NTAPI vDbgPrintExWithPrefix(const char *Prefix, ULONG Component,
                                  ULONG Level, const char *Format,
                                  va_list Arguments)
{
    char text[LINE];
    size_t start = strnlen(Prefix, sizeof text);
    int length;

    memcpy(text, Prefix, start);
    length = _vsnprintf(text + start, sizeof text - start, Format, Arguments);
    length = length < 0 ? (int)sizeof text : (int)start + length;
    return debug_service(BREAKPOINT_PRINT, text, length, Component, Level);
}

/* The length of the reply, which is empty where no debugger answers. */
ULONG NTAPI DbgPrompt(const char *Prompt, char *Response, ULONG Length)
{
    if (Length)
        *Response = 0;
    return debug_service(BREAKPOINT_PROMPT, Prompt, strnlen(Prompt, LINE),
                         (ULONG_PTR)Response, Length);
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
