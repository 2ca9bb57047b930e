/*
 * tests/kernel/vector.c - exceptions that ring 3 cannot raise as the machine
 * is: a segment that is not present (11; 12, if it is for the stack), and no
 * FPU (7). And one that it raises and never hears of: a fast fail (29h).
 */
#include "selftest.h"

#include <arch/descriptors.h>
#include <arch/pte.h>
#include <arch/trap.h>
#include <mm.h>

#define ABSENT_SELECTOR (KGDT64_LAST + 1)
#define ABSENT_DATA_R3  0x00CF73000000FFFFULL   /* all of ring 3's, but P */
#define CS64            (KGDT64_R3_CODE | RPL_MASK)
#define RIP             0x140001234ULL

struct __attribute__((packed)) table_pointer {
    USHORT limit;
    ULONGLONG base;
};

/* Mm's own. */
MMPTE *MiGetPteAddress(const void *va);

/* The kernel's own GDT, while the processor has a longer one. */
static struct table_pointer own_table;

/* Where the GDT's page can be written; the rest of it is empty (cpu/gdt.c). */
static ULONGLONG *writable_gdt(void)
{
    static ULONGLONG *table;
    MMPTE pte = *MiGetPteAddress((void *)(ULONG_PTR)own_table.base);

    if (!table)
        table = MmMapIoSpace((ULONGLONG)pte.u.Hard.PageFrameNumber
                                 << PAGE_SHIFT, PAGE_SIZE, MmCached);
    return table;
}

/*
 * The processor's GDT gets longer by a descriptor that is not present.  For a
 * program that has it taken away before it ends.  The selector goes to *user.
 */
BOOLEAN add_absent_segment(ULONGLONG user)
{
    struct table_pointer longer;
    ULONG selector = ABSENT_SELECTOR | RPL_MASK;

    __asm__ volatile("sgdt %0" : "=m"(own_table));
    longer = own_table;
    longer.limit = ABSENT_SELECTOR + sizeof(ULONGLONG) - 1;
    if (!writable_gdt())
        return FALSE;
    writable_gdt()[ABSENT_SELECTOR / 8] = ABSENT_DATA_R3;
    __asm__ volatile("lgdt %0" : : "m"(longer));
    return NT_SUCCESS(mm_copy_to_user((void *)(ULONG_PTR)user, &selector,
                                      sizeof selector));
}

void load_absent_segment(ULONGLONG user)
{
    add_absent_segment(user);
    __asm__ volatile("mov %0, %%es" : : "r"(ABSENT_SELECTOR | RPL_MASK));
}

BOOLEAN remove_absent_segment(void)
{
    __asm__ volatile("lgdt %0" : : "m"(own_table));
    return TRUE;
}

static EXCEPTION_RECORD record_of(ULONG vector, KTRAP_FRAME *frame)
{
    KEXCEPTION_FRAME exception = { .R12 = 0 };
    EXCEPTION_RECORD record;

    ki_make_record(vector, frame, &exception, &record);
    return record;
}

BOOLEAN test_records(void)
{
    KTRAP_FRAME fault = { .Rip = RIP };
    KTRAP_FRAME trap = { .Rip = RIP + 2, .Rcx = 5, .SegCs = CS64 };
    EXCEPTION_RECORD no_fpu = record_of(7, &fault);
    EXCEPTION_RECORD fast_fail = record_of(0x29, &trap);

    return no_fpu.ExceptionCode == STATUS_ILLEGAL_INSTRUCTION &&
           no_fpu.ExceptionAddress == (void *)RIP &&
           no_fpu.ExceptionFlags == 0 && no_fpu.NumberParameters == 0 &&
           fault.Rip == RIP &&
           fast_fail.ExceptionCode == STATUS_STACK_BUFFER_OVERRUN &&
           fast_fail.ExceptionAddress == (void *)RIP &&
           fast_fail.ExceptionFlags == EXCEPTION_NONCONTINUABLE &&
           fast_fail.NumberParameters == 1 &&
           fast_fail.ExceptionInformation[0] == 5 && trap.Rip == RIP;
}
