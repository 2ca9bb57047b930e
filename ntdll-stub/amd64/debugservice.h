/*
 * debugservice.h - INT 2Dh: a word to the debugger. amd64.
 *
 * eax = what is asked for, rcx and rdx what about; the kernel, or its
 * debugger, goes on behind the INT3 and leaves a status in eax. Nobody there
 * who knows the service: the INT3's place is a breakpoint.
 */
#pragma once

#include <nt/ntdef.h>

#define BREAKPOINT_PRINT 1                      /* then component, level */
#define BREAKPOINT_PROMPT 2                     /* then reply, its size */

static inline NTSTATUS debug_service(ULONG service, const char *text,
                                     ULONG length, ULONG_PTR third,
                                     ULONG_PTR fourth)
{
    register ULONG_PTR r8 __asm__("r8") = third;
    register ULONG_PTR r9 __asm__("r9") = fourth;
    NTSTATUS status = (NTSTATUS)service;

    __asm__ volatile("int $0x2D\n\tint3"
                     : "+a"(status)
                     : "c"(text), "d"(length), "r"(r8), "r"(r9)
                     : "memory");
    return status;
}
