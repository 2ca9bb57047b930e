/*
 * callbackframe.h - what KiUserCallbackDispatcher finds on the stack: i386.
 */
#pragma once

#include <ntdll.h>

void NTAPI KiUserCallbackDispatcher(ULONG api, void *buffer, ULONG length);

__attribute__((noreturn)) static inline void enter_callback(
    ULONG api, void *buffer, ULONG length)
{
    ULONG frame[4] = { 0, api, (ULONG)buffer, length };

    __asm__ volatile("movl %0, %%esp\n\t"
                     "jmp *%1"
                     : : "r"(frame), "r"(KiUserCallbackDispatcher)
                     : "memory");
    __builtin_unreachable();
}
