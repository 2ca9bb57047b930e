/*
 * tests/kernel/vector.c - exceptions that ring 3 cannot raise as the machine
 * is: a segment that is not present (11; 12, if it is for the stack), and no
 * FPU (7).
 */
#include "selftest.h"

#include <arch/descriptors.h>
#include <arch/trap.h>
#include <mm.h>

#define ABSENT_SELECTOR (KGDT64_LAST + 1)
#define ABSENT_DATA_R3  0x00CF73000000FFFFULL   /* all of ring 3's, but P */
#define RIP             0x140001234ULL

struct __attribute__((packed)) table_pointer {
    USHORT limit;
    ULONGLONG base;
};

/*
 * The GDT cannot be written, so the processor gets a longer copy; its last
 * descriptor is not present.  For a program's only thread: a switch of 32-bit
 * threads would write to the old one.  The selector goes to *user.
 */
BOOLEAN add_absent_segment(ULONGLONG user)
{
    static ULONGLONG table[ABSENT_SELECTOR / 8 + 1];
    struct table_pointer pointer;
    ULONG selector = ABSENT_SELECTOR | RPL_MASK;

    __asm__ volatile("sgdt %0" : "=m"(pointer));
    memcpy(table, (void *)(ULONG_PTR)pointer.base, ABSENT_SELECTOR);
    table[ABSENT_SELECTOR / 8] = ABSENT_DATA_R3;
    pointer.limit = sizeof table - 1;
    pointer.base = (ULONG_PTR)table;
    __asm__ volatile("lgdt %0" : : "m"(pointer));
    return NT_SUCCESS(mm_copy_to_user((void *)(ULONG_PTR)user, &selector,
                                      sizeof selector));
}

BOOLEAN test_no_fpu(void)
{
    KTRAP_FRAME frame = { .Rip = RIP };
    KEXCEPTION_FRAME exception = { .R12 = 0 };
    EXCEPTION_RECORD record;

    ki_make_record(7, &frame, &exception, &record);
    return record.ExceptionCode == STATUS_ILLEGAL_INSTRUCTION &&
           record.ExceptionAddress == (void *)RIP &&
           record.ExceptionFlags == 0 && record.NumberParameters == 0 &&
           frame.Rip == RIP;
}
