/*
 * mm/segment.c - what sections of the same file share.
 *
 * A segment has an entry for each page (prototypes) and knows where in a file
 * the pages are (subsections).  All sections over one file as data have one
 * segment, all over it as an image another, so two processes that run one
 * program have its code once.  A section without a file has a segment of its
 * own.
 *
 * All pages are promised when the segment is made and stay promised or in
 * memory until its last section is gone: also those of files, which NT does
 * not charge for because it can drop them and read them again.
 */
#include "vad.h"

#define SEGMENT_TAG 0x746D6753          /* "Sgmt" */
#define PROTOTYPE_TAG 0x7453734D        /* "MsSt" */

/* Of files; references of all of these, too. */
static EX_PUSH_LOCK segments_lock;
static struct mi_segment *segments;

void mi_read_file_page(const struct mi_segment *segment,
                       const struct mi_subsection *subsection, SIZE_T page,
                       void *to)
{
    SIZE_T at = (page - subsection->first) << PAGE_SHIFT;
    SIZE_T left = at < subsection->size ? subsection->size - at : 0;

    memcpy(to, (const UCHAR *)segment->bytes + subsection->offset + at,
           left < PAGE_SIZE ? left : PAGE_SIZE);
}

static void free_segment(struct mi_segment *segment, SIZE_T pages)
{
    ULONG_PTR promises = 0;

    for (SIZE_T i = 0; i < pages; i++)
        promises += mi_delete_prototype(&segment->prototypes[i]);
    mi_uncharge_pages(promises);
    if (segment->prototypes)
        ExFreePoolWithTag(segment->prototypes, PROTOTYPE_TAG);
    ExFreePoolWithTag(segment, SEGMENT_TAG);
}

/* Its entries are zero.  charge: pages that are promised. */
static NTSTATUS create(SIZE_T pages, SIZE_T charge, ULONG subsections,
                       struct mi_segment **result)
{
    struct mi_segment *segment;

    if (!mi_charge_pages(charge))
        return STATUS_COMMITMENT_LIMIT;
    segment = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *segment +
                                  subsections * sizeof *segment->subsections,
                              SEGMENT_TAG);
    if (segment)
        segment->prototypes = ExAllocatePool2(POOL_FLAG_NON_PAGED, pages *
                                                  sizeof *segment->prototypes,
                                              PROTOTYPE_TAG);
    if (!segment || !segment->prototypes) {
        mi_uncharge_pages(charge);
        if (segment)
            free_segment(segment, 0);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    segment->references = 1;
    segment->pages = pages;
    *result = segment;
    return STATUS_SUCCESS;
}

NTSTATUS mi_create_segment(SIZE_T pages, BOOLEAN reserve,
                           struct mi_segment **result)
{
    NTSTATUS status = create(pages, reserve ? 0 : pages, 0, result);

    if (!NT_SUCCESS(status))
        return status;
    for (SIZE_T i = 0; i < pages && !reserve; i++)
        (*result)->prototypes[i] = mi_make_software_pte(MM_READWRITE);
    return STATUS_SUCCESS;
}

/* ---- files ---- */

static void add_subsection(struct mi_segment *segment, SIZE_T first,
                           SIZE_T bytes, SIZE_T offset, SIZE_T size,
                           ULONG mask)
{
    struct mi_subsection *subsection =
        &segment->subsections[segment->subsection_count++];
    MMPTE pte = mi_make_software_pte(mask);

    *subsection = (struct mi_subsection){
        .segment = segment,
        .first = first,
        .pages = ALIGN_UP(bytes, PAGE_SIZE) >> PAGE_SHIFT,
        .offset = offset,
        .size = size,
        .mask = mask,
    };
    pte.u.Subsect.Prototype = 1;
    pte.u.Subsect.SubsectionAddress = (LONGLONG)(ULONG_PTR)subsection;
    for (SIZE_T i = 0; i < subsection->pages; i++)
        segment->prototypes[first + i] = pte;
}

static ULONG section_mask(const struct rtl_pe_section *part)
{
    if (part->executable)
        return part->readable ? MM_EXECUTE_READ : MM_EXECUTE;
    return part->writable ? MM_WRITECOPY : MM_READONLY;
}

/* Headers first; what lies between the parts stays reserved. */
static void describe_image(struct mi_segment *segment)
{
    const struct rtl_pe *pe = &segment->pe;

    add_subsection(segment, 0, pe->size_of_headers, 0, pe->size_of_headers,
                   MM_READONLY);
    for (ULONG i = 0; i < pe->section_count; i++) {
        struct rtl_pe_section part;

        rtl_pe_section(segment->bytes, pe, i, &part);
        add_subsection(segment, part.rva >> PAGE_SHIFT, part.virtual_size,
                       part.file_offset, part.file_size, section_mask(&part));
    }
}

static SIZE_T count_image_pages(const void *bytes, const struct rtl_pe *pe)
{
    SIZE_T pages = ALIGN_UP((SIZE_T)pe->size_of_headers, PAGE_SIZE) >>
                   PAGE_SHIFT;

    for (ULONG i = 0; i < pe->section_count; i++) {
        struct rtl_pe_section part;

        rtl_pe_section(bytes, pe, i, &part);
        pages += ALIGN_UP((SIZE_T)part.virtual_size, PAGE_SIZE) >> PAGE_SHIFT;
    }
    return pages;
}

static NTSTATUS create_image(const void *bytes, SIZE_T size,
                             struct mi_segment **result)
{
    struct rtl_pe pe;
    NTSTATUS status = rtl_pe_parse(bytes, size, &pe);

    if (NT_SUCCESS(status))
        status = create(ALIGN_UP((SIZE_T)pe.size_of_image, PAGE_SIZE) >>
                            PAGE_SHIFT,
                        count_image_pages(bytes, &pe), pe.section_count + 1,
                        result);
    if (!NT_SUCCESS(status))
        return status;
    (*result)->bytes = bytes;
    (*result)->pe = pe;
    describe_image(*result);
    return STATUS_SUCCESS;
}

static NTSTATUS create_data(const void *bytes, SIZE_T size,
                            struct mi_segment **result)
{
    SIZE_T pages = ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT;
    NTSTATUS status = create(pages, pages, 1, result);

    if (!NT_SUCCESS(status))
        return status;
    (*result)->bytes = bytes;
    add_subsection(*result, 0, size, 0, size, MM_READONLY);
    return STATUS_SUCCESS;
}

static struct mi_segment *find(const void *bytes, SIZE_T size, BOOLEAN image)
{
    struct mi_segment *at = segments;

    while (at && !(at->bytes == bytes && at->size == size &&
                   at->image == image))
        at = at->next;
    return at;
}

static NTSTATUS create_file_segment(const void *bytes, SIZE_T size,
                                    BOOLEAN image, struct mi_segment **result)
{
    NTSTATUS status = image ? create_image(bytes, size, result)
                            : create_data(bytes, size, result);

    if (!NT_SUCCESS(status))
        return status;
    (*result)->size = size;
    (*result)->image = image;
    (*result)->next = segments;
    segments = *result;
    return STATUS_SUCCESS;
}

NTSTATUS mi_reference_file_segment(const void *bytes, SIZE_T size,
                                   BOOLEAN image, struct mi_segment **result)
{
    NTSTATUS status = STATUS_SUCCESS;

    ke_acquire_exclusive(&segments_lock);
    *result = find(bytes, size, image);
    if (*result)
        (*result)->references++;
    else
        status = create_file_segment(bytes, size, image, result);
    ke_release_exclusive(&segments_lock);
    return status;
}

/* One without a file is not in the list. */
void mi_dereference_segment(struct mi_segment *segment)
{
    struct mi_segment **place = &segments;
    BOOLEAN last;

    ke_acquire_exclusive(&segments_lock);
    last = --segment->references == 0;
    while (last && *place && *place != segment)
        place = &(*place)->next;
    if (last && *place)
        *place = segment->next;
    ke_release_exclusive(&segments_lock);
    if (last)
        free_segment(segment, segment->pages);
}

/* ---- reserved sections ---- */

/* Counts the missing ones, or commits them. */
static ULONG_PTR visit_missing(ULONGLONG start, ULONGLONG end, BOOLEAN commit)
{
    ULONG_PTR count = 0;

    for (ULONGLONG va = start; va < end; va += PAGE_SIZE) {
        MMPTE pte = mi_read_pte(va);

        if (!mi_is_prototype(pte) || mi_prototype_of(pte)->u.Long)
            continue;
        count++;
        if (commit)
            *mi_prototype_of(pte) = mi_make_software_pte(MM_READWRITE);
    }
    return count;
}

NTSTATUS mi_commit_view(ULONGLONG start, ULONGLONG end)
{
    NTSTATUS status = STATUS_SUCCESS;

    ke_acquire_exclusive(&segments_lock);
    if (mi_charge_pages(visit_missing(start, end, FALSE)))
        visit_missing(start, end, TRUE);
    else
        status = STATUS_COMMITMENT_LIMIT;
    ke_release_exclusive(&segments_lock);
    return status;
}
