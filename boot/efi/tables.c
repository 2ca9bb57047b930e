/*
 * boot/efi/tables.c - the page tables that the kernel begins with: 4 GiB at
 * their own addresses, and its image where it was linked for, each segment
 * with its protection.  Mm keeps the top one and those above the image's.
 */
#include "efiload.h"

#define PRESENT 1ULL
#define WRITE 2ULL
#define LARGE 0x80ULL
#define NO_EXECUTE (1ULL << 63)
#define ADDRESS 0x000FFFFFFFFFF000ULL
#define IDENTITY_GIBIBYTES 4
#define LARGE_PAGE 0x200000ULL
#define GIBIBYTE 0x40000000ULL
#define INDEX(va, level) ((va) >> (12 + 9 * (level)) & 0x1FF)

/* The table below an entry, made if it is not there. */
static ULONGLONG *below(ULONGLONG *entry)
{
    if (!*entry)
        *entry = (ULONG_PTR)allocate_low(PAGE_SIZE) | PRESENT | WRITE;
    return (ULONGLONG *)(*entry & ADDRESS);
}

static void map_page(ULONGLONG *top, ULONGLONG va, ULONGLONG physical,
                     ULONGLONG protection)
{
    ULONGLONG *table = below(&top[INDEX(va, 3)]);

    table = below(&table[INDEX(va, 2)]);
    table = below(&table[INDEX(va, 1)]);
    table[INDEX(va, 0)] = physical | PRESENT | protection;
}

static void map_identity(ULONGLONG *top)
{
    ULONGLONG *gibibytes = below(&top[0]);

    for (ULONG i = 0; i < IDENTITY_GIBIBYTES; i++) {
        ULONGLONG *pages = below(&gibibytes[i]);

        for (ULONG j = 0; j < GIBIBYTE / LARGE_PAGE; j++)
            pages[j] = (i * GIBIBYTE + j * LARGE_PAGE) | PRESENT | WRITE |
                       LARGE;
    }
}

ULONGLONG make_tables(const struct kernel *kernel)
{
    ULONGLONG *top = allocate_low(PAGE_SIZE);

    map_identity(top);
    for (ULONG i = 0; i < kernel->count; i++) {
        const struct segment *segment = &kernel->segment[i];

        for (ULONGLONG at = 0; at < segment->size; at += PAGE_SIZE)
            map_page(top, segment->va + at,
                     kernel->physical + segment->va - kernel->va + at,
                     (segment->writable ? WRITE : 0) |
                     (segment->executable ? 0 : NO_EXECUTE));
    }
    return (ULONG_PTR)top;
}
