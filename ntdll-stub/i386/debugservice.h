/*
 * debugservice.h - INT 2Dh: a word to the debugger. i386.
 *
 * eax = what is asked for, ecx and edx what about; the kernel, or its
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
    NTSTATUS status = (NTSTATUS)service;

    __asm__ volatile("int $0x2D\n\tint3"
                     : "+a"(status)
                     : "c"(text), "d"(length), "b"(third), "D"(fourth)
                     : "memory");
    return status;
}
