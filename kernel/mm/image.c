/*
 * mm/image.c - a PE file becomes memory.
 *
 * Where an image is at the base that it was linked for, all its pages are the
 * segment's: read from the file when they are touched, shared by all who have
 * them, copied when they are written.
 *
 * At another base its addresses are wrong.  Then the image is laid out in a
 * kernel buffer and relocated there, which also shows whether it can be; each
 * page that is not what it was becomes a page of the process's own, and the
 * others are the segment's as above.
 *
 * A section that would be writable and executable never gets this far
 * (rtl/pe.c).
 *
 * NT: an image has one relocated form for all, made when its section is, and
 * pages are relocated as they are read.
 */
#include "vad.h"

#include <kd.h>
#include <nt/ntapi.h>
#include <nt/pe.h>

#define IMAGE_TAG 0x67616D49            /* "Imag" */
#define MAX_IMAGE 0x4000000             /* the buffer: 64 MiB */

/* An image that must move goes to the highest place below, as DLLs do. */
#define HIGHEST_IMAGE 0x00007FFE00000000ULL

static NTSTATUS choose_base(EPROCESS *process, const struct rtl_pe *pe,
                            ULONGLONG hint, ULONGLONG limit, ULONGLONG *base)
{
    ULONGLONG wanted = hint ? hint : pe->preferred_base;

    if (mi_is_range_free(process, wanted, wanted + pe->size_of_image)) {
        *base = wanted;
    } else if (hint) {
        return STATUS_CONFLICTING_ADDRESSES;
    } else {
        if (limit > HIGHEST_IMAGE)
            limit = HIGHEST_IMAGE;
        *base = mi_find_gap(process, pe->size_of_image,
                            MM_LOWEST_USER_ADDRESS, limit, TRUE);
        if (*base == 0)
            return STATUS_NO_MEMORY;
    }
    if (*base != pe->preferred_base &&
        (pe->characteristics & IMAGE_FILE_RELOCS_STRIPPED))
        return STATUS_CONFLICTING_ADDRESSES;
    return STATUS_SUCCESS;
}

/* ---- a moved image ---- */

static void lay_out(UCHAR *image, const struct mi_segment *segment)
{
    const UCHAR *file = segment->bytes;

    for (ULONG i = 0; i < segment->subsection_count; i++) {
        const struct mi_subsection *part = &segment->subsections[i];

        memcpy(image + (part->first << PAGE_SHIFT), file + part->offset,
               part->size);
    }
}

static NTSTATUS relocate(UCHAR *image, const struct rtl_pe *pe,
                         ULONGLONG base)
{
    NTSTATUS status = rtl_pe_relocate(image, pe, base - pe->preferred_base);

    if (NT_SUCCESS(status))
        memcpy(image + pe->image_base_offset, &base, pe->address_size);
    return status;
}

/* NULL for an image that is not moved. */
static NTSTATUS make_moved(const struct mi_segment *segment, ULONGLONG base,
                           UCHAR **result)
{
    SIZE_T size = segment->pages << PAGE_SHIFT;
    NTSTATUS status;

    *result = NULL;
    if (base == segment->pe.preferred_base)
        return STATUS_SUCCESS;
    if (size <= MAX_IMAGE)
        *result = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, IMAGE_TAG);
    if (!*result)
        return STATUS_NO_MEMORY;
    lay_out(*result, segment);
    status = relocate(*result, &segment->pe, base);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(*result, IMAGE_TAG);
        *result = NULL;
    }
    return status;
}

/*
 * Is a page of the laid-out image other than the file's bytes and, behind
 * them, zeroes?
 */
static BOOLEAN is_moved(const UCHAR *image, const struct mi_subsection *part,
                        SIZE_T page)
{
    const UCHAR *file = part->segment->bytes;
    const UCHAR *now = image + (page << PAGE_SHIFT);
    SIZE_T at = (page - part->first) << PAGE_SHIFT;
    SIZE_T same = at < part->size ? part->size - at : 0;

    if (same > PAGE_SIZE)
        same = PAGE_SIZE;
    if (!image)
        return FALSE;
    if (memcmp(now, file + part->offset + at, same) != 0)
        return TRUE;
    while (same < PAGE_SIZE && now[same] == 0)
        same++;
    return same < PAGE_SIZE;
}

/* ---- the view ---- */

static ULONG_PTR count_charge(const struct mi_segment *segment,
                              const UCHAR *image)
{
    ULONG_PTR count = 0;

    for (ULONG i = 0; i < segment->subsection_count; i++) {
        const struct mi_subsection *part = &segment->subsections[i];

        for (SIZE_T at = 0; at < part->pages; at++)
            count += mi_is_copy(part->mask) ||
                     is_moved(image, part, part->first + at);
    }
    return count;
}

static ULONG own_mask(ULONG mask)
{
    return mi_is_copy(mask) ? MM_READWRITE : mask;
}

static NTSTATUS map_part(EPROCESS *process, ULONGLONG base,
                         const struct mi_subsection *part, const UCHAR *image,
                         ULONG_PTR *charge)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (SIZE_T page = part->first;
         page < part->first + part->pages && NT_SUCCESS(status); page++) {
        ULONGLONG va = base + (page << PAGE_SHIFT);

        if (is_moved(image, part, page))
            status = mi_commit_filled(process, va, own_mask(part->mask),
                                      image + (page << PAGE_SHIFT), charge);
        else
            mi_map_prototypes(process, va, va + PAGE_SIZE,
                              &part->segment->prototypes[page], part->mask,
                              charge);
    }
    return status;
}

static NTSTATUS map_parts(EPROCESS *process, ULONGLONG base,
                          const struct mi_segment *segment,
                          const UCHAR *image, ULONG_PTR *charge)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (ULONG i = 0; i < segment->subsection_count && NT_SUCCESS(status);
         i++)
        status = map_part(process, base, &segment->subsections[i], image,
                          charge);
    return status;
}

static NTSTATUS map(EPROCESS *process, struct mi_section *section,
                    ULONGLONG base, const UCHAR *image)
{
    const struct mi_segment *segment = section->segment;
    ULONGLONG end = base + segment->pe.size_of_image;
    struct mi_vad *vad;
    ULONG_PTR charge;
    NTSTATUS status = mi_prepare_pages(base, end,
                                       count_charge(segment, image), &charge);

    if (!NT_SUCCESS(status))
        return status;
    status = mi_insert_vad(process, base, end, MEM_IMAGE,
                           PAGE_EXECUTE_WRITECOPY, &vad);
    if (NT_SUCCESS(status)) {
        ObReferenceObject(section);
        vad->section = section;
        status = map_parts(process, base, segment, image, &charge);
        if (!NT_SUCCESS(status))
            mi_delete_region(process, vad);
    }
    mi_uncharge_pages(charge);
    return status;
}

NTSTATUS mi_map_image_view(EPROCESS *process, struct mi_section *section,
                           ULONGLONG hint, ULONGLONG limit, ULONGLONG *base)
{
    const struct rtl_pe *pe = &section->segment->pe;
    UCHAR *image;
    NTSTATUS status;

    if (pe->machine != ps_machine(process))
        return STATUS_INVALID_IMAGE_FORMAT;
    status = choose_base(process, pe, hint, limit, base);
    if (NT_SUCCESS(status))
        status = make_moved(section->segment, *base, &image);
    if (!NT_SUCCESS(status))
        return status;
    status = map(process, section, *base, image);
    if (image)
        ExFreePoolWithTag(image, IMAGE_TAG);
    DbgPrintEx(DPFLTR_LDR_ID, DPFLTR_INFO_LEVEL,
               "LDR   process %llu: image at %llx, made for %llx: %08x\n",
               (ULONGLONG)process->UniqueProcessId, *base, pe->preferred_base,
               status);
    return NT_SUCCESS(status) && image ? STATUS_IMAGE_NOT_AT_BASE : status;
}

NTSTATUS mm_map_image(void *section, void **base)
{
    EPROCESS *process = PsGetCurrentProcess();
    struct mi_visit visit;
    ULONGLONG place;
    NTSTATUS status = mi_enter_space(process, &visit);

    if (!NT_SUCCESS(status))
        return status;
    status = mi_map_image_view(process, section, (ULONG_PTR)*base,
                               MI_NO_LIMIT, &place);
    mi_leave_space(&visit);
    if (NT_SUCCESS(status))
        *base = (void *)place;
    return status;
}
