/*
 * debugservice.h - INT 2Dh: a word to the debugger. amd64.
 *
 * eax = what is asked for, rcx and rdx what about; the kernel, or its
 * debugger, goes on behind the INT3 and leaves a status in eax. Nobody there
 * who knows the service: the INT3's place is a breakpoint.
 */
#pragma once

#include <nt/ntdef.h>

#define BREAKPOINT_PRINT 1

/* component and level: whose text it is, for the debugger's filters. */
static inline NTSTATUS debug_print(const char *text, ULONG length,
                                   ULONG component, ULONG level)
{
    register ULONG r8 __asm__("r8") = component;
    register ULONG r9 __asm__("r9") = level;
    NTSTATUS status = BREAKPOINT_PRINT;

    __asm__ volatile("int $0x2D\n\tint3"
                     : "+a"(status)
                     : "c"(text), "d"(length), "r"(r8), "r"(r9)
                     : "memory");
    return status;
}
