/*
 * tests/kernel/fired.c - any vector at all, as if it came from ring 3 right
 * behind this service.
 *
 * Most vectors that nobody asked for cannot be made to come: here the stack
 * and the registers are what the processor would leave, and the IDT says where
 * to go on (fired.asm).  With BY_IRETQ it is the IRETQ to ring 3 that faults:
 * in ring 0, with ring 3's gs.  NMI, #DF, #MC and #DB, which have stacks of
 * their own, are not for this.
 *
 * Scenarios: B6, K11.
 */
#include "selftest.h"

#include <arch/entry.h>
#include <arch/processor.h>

#define BY_IRETQ 0x100

/* 8, 10 to 14, 17, 21. */
#define WITH_ERROR_CODE 0x227D00

#define NUMBER 0x1122334455667700ULL    /* tests/user/fired.c */

extern UCHAR ki_iret_user[], ki_iret_user_shadow[];

void fire_vector(ULONG_PTR gate, const KTRAP_FRAME *frame, ULONG_PTR stack,
                 ULONG has_error_code, const void *iretq);

/* Others each time: the frame before may lie where this one does. */
ULONGLONG fired_numbers[13];

BOOLEAN fire_as_from_user(ULONGLONG argument)
{
    KPCR *pcr = CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb);
    ULONG vector = argument & 0xFF;
    const KIDTENTRY64 *gate = &pcr->IdtBase[vector];
    ULONG_PTR address = (ULONG_PTR)gate->OffsetHigh << 32 |
                        (ULONG)gate->OffsetMiddle << 16 | gate->OffsetLow;
    const void *iretq = KiKvaShadow ? ki_iret_user_shadow : ki_iret_user;

    if (gate->IstIndex)
        return FALSE;
    for (ULONG i = 0; i < ARRAY_SIZE(fired_numbers); i++)
        fired_numbers[i] = NUMBER + (argument << 8) + i;
    fire_vector(address, KeGetCurrentThread()->TrapFrame, pcr->TssBase->Rsp0,
                vector < 32 && WITH_ERROR_CODE >> vector & 1,
                argument & BY_IRETQ ? iretq : NULL);
    return FALSE;
}
