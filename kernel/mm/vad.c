/*
 * mm/vad.c - the regions of a process.
 *
 * They form a balanced tree ordered by address (EPROCESS.VadRoot).  Regions
 * never overlap, so one look-up tells whose an address is.  A search for free
 * addresses walks the gaps in order.
 *
 * NT: VADs keep page numbers, and more trees find gaps faster.
 */
#include "vad.h"

#include <nt/ntapi.h>

static struct rtl_avl_node **root_of(EPROCESS *process)
{
    return (struct rtl_avl_node **)&process->VadRoot;
}

static struct mi_vad *vad_of(struct rtl_avl_node *node)
{
    return node ? CONTAINING_RECORD(node, struct mi_vad, node) : NULL;
}

struct mi_vad *mi_find_vad(EPROCESS *process, ULONGLONG address)
{
    struct mi_vad *vad = vad_of(rtl_avl_find(*root_of(process), address));

    return vad && address < vad->end ? vad : NULL;
}

struct mi_vad *mi_find_vad_above(EPROCESS *process, ULONGLONG address)
{
    struct rtl_avl_node *node = rtl_avl_find(*root_of(process), address);

    if (!node)
        return vad_of(rtl_avl_first(*root_of(process)));
    if (address < vad_of(node)->end)
        return vad_of(node);
    return vad_of(rtl_avl_next(node));
}

BOOLEAN mi_is_range_free(EPROCESS *process, ULONGLONG start, ULONGLONG end)
{
    struct mi_vad *vad = mi_find_vad_above(process, start);

    if (start < MM_LOWEST_USER_ADDRESS || end <= start ||
        end > mi_regions_end(process))
        return FALSE;
    return !vad || mi_vad_start(vad) >= end;
}

/*
 * The place in the gap [low, high) that has size bytes, or 0.  Address 0 is
 * never in a gap.
 */
static ULONGLONG place_in_gap(ULONGLONG low, ULONGLONG high, SIZE_T size,
                              BOOLEAN top_down)
{
    ULONGLONG place = ALIGN_UP(low, ALLOCATION_GRANULARITY);

    if (place >= high || high - place < size)
        return 0;
    return top_down ? ALIGN_DOWN(high - size, ALLOCATION_GRANULARITY) : place;
}

static ULONGLONG find_lowest(EPROCESS *process, SIZE_T size, ULONGLONG low,
                             ULONGLONG high)
{
    struct mi_vad *vad = mi_find_vad_above(process, low);

    while (low < high) {
        BOOLEAN bounded = vad && mi_vad_start(vad) < high;
        ULONGLONG end = bounded ? mi_vad_start(vad) : high;
        ULONGLONG place = place_in_gap(low, end, size, FALSE);

        if (place || !bounded)
            return place;
        low = vad->end;
        vad = vad_of(rtl_avl_next(&vad->node));
    }
    return 0;
}

static ULONGLONG find_highest(EPROCESS *process, SIZE_T size, ULONGLONG low,
                              ULONGLONG high)
{
    struct mi_vad *vad = vad_of(rtl_avl_find(*root_of(process), high - 1));

    while (low < high) {
        BOOLEAN bounded = vad && vad->end > low;
        ULONGLONG start = bounded ? vad->end : low;
        ULONGLONG place = place_in_gap(start, high, size, TRUE);

        if (place || !bounded)
            return place;
        high = mi_vad_start(vad);
        vad = vad_of(rtl_avl_previous(&vad->node));
    }
    return 0;
}

ULONGLONG mi_find_gap(EPROCESS *process, SIZE_T size, ULONGLONG low,
                      ULONGLONG high, BOOLEAN top_down)
{
    if (low < MM_LOWEST_USER_ADDRESS)
        low = MM_LOWEST_USER_ADDRESS;
    if (high > mi_regions_end(process))
        high = mi_regions_end(process);
    if (low >= high)
        return 0;
    return top_down ? find_highest(process, size, low, high)
                    : find_lowest(process, size, low, high);
}

NTSTATUS mi_insert_vad(EPROCESS *process, ULONGLONG start, ULONGLONG end,
                       ULONG type, ULONG protect, struct mi_vad **result)
{
    struct mi_vad *vad = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *vad,
                                         MI_VAD_TAG);
    BOOLEAN inserted;

    if (!vad)
        return STATUS_INSUFFICIENT_RESOURCES;
    vad->node.key = start;
    vad->end = end;
    vad->type = type;
    vad->protect = protect;
    inserted = rtl_avl_insert(root_of(process), &vad->node);
    ASSERT(inserted);
    process->VadCount++;
    process->VirtualSize += end - start;
    if (process->VirtualSize > process->PeakVirtualSize)
        process->PeakVirtualSize = process->VirtualSize;
    *result = vad;
    return STATUS_SUCCESS;
}

void mi_remove_vad(EPROCESS *process, struct mi_vad *vad)
{
    rtl_avl_remove(root_of(process), &vad->node);
    process->VadCount--;
    process->VirtualSize -= vad->end - mi_vad_start(vad);
    ExFreePoolWithTag(vad, MI_VAD_TAG);
}

/* [start, end) lies inside; what is above becomes a region of its own. */
static NTSTATUS split_vad(EPROCESS *process, struct mi_vad *vad,
                          ULONGLONG start, ULONGLONG end)
{
    ULONGLONG old_end = vad->end, old_size = process->VirtualSize;
    struct mi_vad *upper;
    NTSTATUS status;

    process->VirtualSize -= old_end - start;
    vad->end = start;
    status = mi_insert_vad(process, end, old_end, vad->type, vad->protect,
                           &upper);
    if (!NT_SUCCESS(status)) {
        process->VirtualSize = old_size;
        vad->end = old_end;
    }
    return status;
}

NTSTATUS mi_cut_vad(EPROCESS *process, struct mi_vad *vad, ULONGLONG start,
                    ULONGLONG end)
{
    if (start == mi_vad_start(vad) && end == vad->end) {
        mi_remove_vad(process, vad);
        return STATUS_SUCCESS;
    }
    if (start != mi_vad_start(vad) && end != vad->end)
        return split_vad(process, vad, start, end);
    process->VirtualSize -= end - start;
    if (end == vad->end)
        vad->end = start;
    else
        vad->node.key = end;            /* the order of regions stays */
    return STATUS_SUCCESS;
}

/* Windows shows it as private memory that is read-only. */
NTSTATUS mi_reserve_shared_page(EPROCESS *process)
{
    struct mi_vad *vad;
    NTSTATUS status = mi_insert_vad(process, USER_SHARED_DATA,
                                    USER_SHARED_DATA + PAGE_SIZE, MEM_PRIVATE,
                                    PAGE_READONLY, &vad);

    if (NT_SUCCESS(status))
        vad->shared = vad->permanent = TRUE;
    return status;
}
