/*
 * callbackframe.h - what KiUserCallbackDispatcher finds on the stack: amd64.
 */
#pragma once

#include <ntdll.h>

void KiUserCallbackDispatcher(void);

struct callback_frame {
    ULONGLONG home[4];
    void *buffer;                               /* 20 */
    ULONG length;                               /* 28 */
    ULONG api;                                  /* 2c */
    ULONGLONG machine_frame[5];                 /* 30 */
} __attribute__((aligned(16)));

_Static_assert(offsetof(struct callback_frame, machine_frame) == 0x30, "");

__attribute__((noreturn)) static inline void enter_callback(
    ULONG api, void *buffer, ULONG length)
{
    struct callback_frame frame = { .buffer = buffer, .length = length,
                                    .api = api };

    __asm__ volatile("movq %0, %%rsp\n\t"
                     "jmp *%1"
                     : : "r"(&frame), "r"(KiUserCallbackDispatcher)
                     : "memory");
    __builtin_unreachable();
}
