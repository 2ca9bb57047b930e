/*
 * mm/pagefile.c - a page file, on a disk that is made of memory.
 *
 * The boot option pagefile=N takes N MiB of memory from everybody else and
 * calls it a disk.  A place in the file is a number (a slot); slot 0 is never
 * used, so that an entry with PageFileHigh 0 is a page that was never
 * anywhere.  What is in a slot stays right for as long as the page is not
 * written again; then, or when the page goes, the slot is free.
 *
 * NT: a file of a file system, PageFileLow says which of 16.  Reading and
 * writing wait for a disk there; here they are a copy.
 */
#include "pfn.h"

#include <init.h>
#include <kd.h>
#include <rtl.h>

#define PAGE_FILE_TAG 0x6C694650        /* "PFil" */
#define PAGES_PER_MIB 256
#define BITS 64
#define LEAST_MEMORY 1024               /* pages that are left: 4 MiB */

/* slots, disk: boot.  The rest under mi_pfn_lock. */
static ULONG slots SEALED;
static ULONG *disk SEALED;              /* a page of the disk for each slot */
static ULONGLONG *taken SEALED;         /* a bit for each */
static ULONG next;                      /* where to look first */
static ULONG_PTR alone;                 /* slots whose page is only there */

BOOLEAN mi_has_page_file(void)
{
    return slots != 0;
}

ULONG_PTR mi_page_file_size(void)
{
    return slots;
}

ULONG_PTR mi_page_file_room(void)
{
    return slots - alone;
}

void mi_page_left(void)
{
    alone++;
}

void mi_page_came_back(void)
{
    ASSERT(alone > 0);
    alone--;
}

/* 0: the file is full. */
static ULONG take_slot(void)
{
    for (ULONG i = 0; i < slots; i++) {
        ULONG slot = 1 + (next + i) % slots;

        if (taken[slot / BITS] == ~0ULL && slot % BITS == 0 &&
            i + BITS < slots) {
            i += BITS - 1;
            continue;
        }
        if (taken[slot / BITS] >> slot % BITS & 1)
            continue;
        taken[slot / BITS] |= 1ULL << slot % BITS;
        next = slot % slots;
        return slot;
    }
    return 0;
}

void mi_free_slot(ULONG slot)
{
    ASSERT(slot <= slots && (taken[slot / BITS] >> slot % BITS & 1));
    taken[slot / BITS] &= ~(1ULL << slot % BITS);
}

BOOLEAN mi_write_page(PFN_NUMBER pfn)
{
    struct mi_pfn *page = mi_pfn_at(pfn);
    ULONG slot = take_slot();

    if (!slot)
        return FALSE;
    mi_copy_page(disk[slot], pfn);
    DbgPrintEx(DPFLTR_MM_ID, DPFLTR_INFO_LEVEL,
               "MM    page %llx goes to slot %u of the page file\n",
               (ULONGLONG)pfn, slot);
    page->OriginalPte.u.Soft.PageFileHigh = slot;
    page->Modified = FALSE;
    return TRUE;
}

ULONG mi_write_new_page(const void *bytes)
{
    ULONG slot = take_slot();
    KIRQL irql;

    if (!slot)
        return 0;
    memcpy(mi_map_temporary(disk[slot], &irql), bytes, PAGE_SIZE);
    mi_unmap_temporary(irql);
    alone++;
    return slot;
}

void mi_read_page(PFN_NUMBER pfn, ULONG slot)
{
    mi_copy_page(pfn, disk[slot]);
    DbgPrintEx(DPFLTR_MM_ID, DPFLTR_INFO_LEVEL,
               "MM    page %llx comes from slot %u of the page file\n",
               (ULONGLONG)pfn, slot);
}

static ULONG read_option(void)
{
    const char *text = init_option("pagefile");
    ULONG value = 0;

    for (; *text >= '0' && *text <= '9' && value < 0x10000; text++)
        value = value * 10 + (*text - '0');
    if (*text)
        DbgPrintEx(DPFLTR_MM_ID, DPFLTR_WARNING_LEVEL,
                   "OPT   pagefile=%s is no number of MiB\n",
                   init_option("pagefile"));
    return *text ? 0 : value;
}

ULONG_PTR mi_create_page_file(void)
{
    ULONG wanted = read_option() * PAGES_PER_MIB, count = 0;

    if (!wanted)
        return 0;
    disk = ExAllocatePool2(POOL_FLAG_NON_PAGED, (wanted + 1) * sizeof *disk,
                           PAGE_FILE_TAG);
    taken = ExAllocatePool2(POOL_FLAG_NON_PAGED, wanted / 8 + sizeof *taken,
                            PAGE_FILE_TAG);
    if (!disk || !taken)
        return 0;
    while (count < wanted && mi_available_pages() > LEAST_MEMORY)
        disk[++count] = (ULONG)mi_allocate_page();
    slots = count;
    DbgPrintEx(DPFLTR_MM_ID, DPFLTR_TRACE_LEVEL,
               "DISK  page file: %u MiB of memory\n", slots / PAGES_PER_MIB);
    return slots;
}
