/*
 * tests/kernel/stack.c - how much of its kernel stack a thread has used, what
 * its locals begin as, and what a switch leaves in SS.
 *
 * Ring 3 has the free part of its thread's stack painted, does what it likes,
 * and asks how much paint is left (tests/user/kstack.c).
 *
 * Scenarios: G5.
 */
#include "selftest.h"

#include <arch/processor.h>
#include <mm.h>

#define ROOM 0x100                      /* for the call that paints */
#define SWITCHES 5
#define DELAY (-300000LL)               /* 30 ms: two ticks at least */

BOOLEAN paint_stack(void)
{
    volatile ULONGLONG *at = KeGetCurrentThread()->StackLimit;
    ULONGLONG *end = (ULONGLONG *)__builtin_frame_address(0) -
                     ROOM / sizeof *end;

    while (at < end)
        *at++ = MM_STACK_PAINT;
    return TRUE;
}

/* Bytes, to a ULONG of ring 3. */
BOOLEAN tell_unused_stack(ULONGLONG user)
{
    const KTHREAD *thread = KeGetCurrentThread();
    const ULONGLONG *at = thread->StackLimit;
    ULONG unused;

    while (*at == MM_STACK_PAINT)
        at++;
    unused = (ULONG)((ULONG_PTR)at - (ULONG_PTR)thread->StackLimit);
    return NT_SUCCESS(mm_copy_to_user((void *)(ULONG_PTR)user, &unused,
                                      sizeof unused));
}

struct gaps {
    UCHAR byte;                         /* seven bytes that have no name */
    ULONGLONG number;
    union {
        UCHAR small;
        ULONGLONG large[4];
    };
};

/* asm: the compiler must not know that nobody has set it. */
__attribute__((noipa)) static BOOLEAN local_is_zero(void)
{
    struct gaps local;
    ULONGLONG array[0x20];
    const ULONGLONG *words = (const ULONGLONG *)&local;
    ULONGLONG sum = 0;

    __asm__ volatile("" : "+m"(local), "+m"(array));
    for (ULONG i = 0; i < sizeof local / sizeof *words; i++)
        sum |= words[i];
    for (ULONG i = 0; i < ARRAY_SIZE(array); i++)
        sum |= array[i];
    return sum == 0;
}

/* On a stack that holds something else. */
BOOLEAN test_locals(void)
{
    return paint_stack() && local_is_zero();
}

static USHORT read_ss(void)
{
    USHORT ss;

    __asm__ volatile("mov %%ss, %0" : "=r"(ss));
    return ss;
}

/*
 * Another thread has to be in ring 3 meanwhile: the interrupt that takes the
 * processor from it has made SS null.
 */
BOOLEAN test_ss_after_switch(void)
{
    static const LARGE_INTEGER delay = { .QuadPart = DELAY };
    BOOLEAN good = TRUE;

    for (ULONG i = 0; i < SWITCHES; i++) {
        KeDelayExecutionThread(KernelMode, FALSE, &delay);
        good &= read_ss() == KGDT_R0_DATA;
    }
    return good;
}

/* The two ways to wait in a DPC: as it is, and at a level that allows it. */
static void wait_in_dpc(KDPC *dpc, void *context, void *argument1,
                        void *argument2)
{
    (void)dpc, (void)argument2;
    if (argument1)
        KfLowerIrql(PASSIVE_LEVEL);
    KeWaitForSingleObject(context, Executive, KernelMode, FALSE, NULL);
}

void crash_in_dpc(BOOLEAN lower)
{
    static KEVENT event;
    static KDPC dpc;

    KeInitializeEvent(&event, EventNotificationObject, FALSE);
    KeInitializeDpc(&dpc, wait_in_dpc, &event);
    KeInsertQueueDpc(&dpc, (void *)(ULONG_PTR)lower, NULL);
    for (;;)
        arch_pause();
}
