/*
 * mm/vad.c - the regions of a process.
 *
 * They form a balanced tree ordered by address (EPROCESS.VadRoot).  Regions
 * never overlap, so one look-up tells whose an address is; each node knows the
 * largest gap below it, so one walk finds free addresses (gap.c).
 *
 * NT: VADs keep page numbers; gaps are found by a bitmap and by hints.
 */
#include "vad.h"

#include <nt/ntapi.h>

static struct rtl_avl_node **root_of(EPROCESS *process)
{
    return (struct rtl_avl_node **)&process->VadRoot;
}

static struct mi_vad *vad_of(struct rtl_avl_node *node)
{
    return node ? CONTAINING_RECORD(node, struct mi_vad, range.node) : NULL;
}

struct mi_vad *mi_find_vad(EPROCESS *process, ULONGLONG address)
{
    struct mi_vad *vad = vad_of(rtl_avl_find(*root_of(process), address));

    return vad && address < mi_vad_end(vad) ? vad : NULL;
}

struct mi_vad *mi_find_vad_above(EPROCESS *process, ULONGLONG address)
{
    struct rtl_avl_node *node = rtl_avl_find(*root_of(process), address);

    if (!node)
        return vad_of(rtl_avl_first(*root_of(process)));
    if (address < mi_vad_end(vad_of(node)))
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

ULONGLONG mi_find_gap(EPROCESS *process, SIZE_T size, ULONGLONG low,
                      ULONGLONG high, BOOLEAN top_down)
{
    if (low < MM_LOWEST_USER_ADDRESS)
        low = MM_LOWEST_USER_ADDRESS;
    if (high > mi_regions_end(process))
        high = mi_regions_end(process);
    return mi_find_place(*root_of(process), size, low, high, top_down);
}

NTSTATUS mi_insert_vad(EPROCESS *process, ULONGLONG start, ULONGLONG end,
                       ULONG type, ULONG protect, struct mi_vad **result)
{
    struct mi_vad *vad = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *vad,
                                         MI_VAD_TAG);

    if (!vad)
        return STATUS_INSUFFICIENT_RESOURCES;
    vad->range.node.key = start;
    vad->range.end = end;
    vad->type = type;
    vad->protect = protect;
    mi_insert_range(root_of(process), &vad->range);
    process->VadCount++;
    process->VirtualSize += end - start;
    if (process->VirtualSize > process->PeakVirtualSize)
        process->PeakVirtualSize = process->VirtualSize;
    *result = vad;
    return STATUS_SUCCESS;
}

void mi_remove_vad(EPROCESS *process, struct mi_vad *vad)
{
    mi_remove_range(root_of(process), &vad->range);
    process->VadCount--;
    process->VirtualSize -= mi_vad_end(vad) - mi_vad_start(vad);
    ExFreePoolWithTag(vad, MI_VAD_TAG);
}

/* [start, end) lies inside; what is above becomes a region of its own. */
static NTSTATUS split_vad(EPROCESS *process, struct mi_vad *vad,
                          ULONGLONG start, ULONGLONG end)
{
    ULONGLONG old_end = mi_vad_end(vad), old_size = process->VirtualSize;
    struct mi_vad *upper;
    NTSTATUS status;

    process->VirtualSize -= old_end - start;
    mi_change_range(&vad->range, mi_vad_start(vad), start);
    status = mi_insert_vad(process, end, old_end, vad->type, vad->protect,
                           &upper);
    if (!NT_SUCCESS(status)) {
        process->VirtualSize = old_size;
        mi_change_range(&vad->range, mi_vad_start(vad), old_end);
    }
    return status;
}

NTSTATUS mi_cut_vad(EPROCESS *process, struct mi_vad *vad, ULONGLONG start,
                    ULONGLONG end)
{
    if (start == mi_vad_start(vad) && end == mi_vad_end(vad)) {
        mi_remove_vad(process, vad);
        return STATUS_SUCCESS;
    }
    if (start != mi_vad_start(vad) && end != mi_vad_end(vad))
        return split_vad(process, vad, start, end);
    process->VirtualSize -= end - start;
    if (end == mi_vad_end(vad))
        mi_change_range(&vad->range, mi_vad_start(vad), start);
    else
        mi_change_range(&vad->range, end, mi_vad_end(vad));
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
        vad->permanent = TRUE;
    return status;
}
