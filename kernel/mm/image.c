/*
 * mm/image.c - a PE file becomes memory.
 *
 * The image is laid out in a kernel buffer first: headers, sections at their
 * addresses, relocations applied, the base it really has in its header.
 * Whatever is wrong with the file shows there, before the process has
 * anything of it.  Then each page is copied into a page of the process and
 * gets the protection its section asks for; a section that would be writable
 * and executable never gets this far (rtl/pe.c).
 *
 * NT: pages come from the file as they are touched, are shared until they are
 * written, and relocated one by one.
 */
#include "vad.h"

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

static void lay_out(UCHAR *image, const struct mi_section *section)
{
    const UCHAR *file = section->bytes;

    memcpy(image, file, section->pe.size_of_headers);
    for (ULONG i = 0; i < section->pe.section_count; i++) {
        struct rtl_pe_section part;

        rtl_pe_section(file, &section->pe, i, &part);
        memcpy(image + part.rva, file + part.file_offset, part.file_size);
    }
}

static NTSTATUS relocate(UCHAR *image, const struct rtl_pe *pe,
                         ULONGLONG base)
{
    NTSTATUS status;

    if (base == pe->preferred_base)
        return STATUS_SUCCESS;
    status = rtl_pe_relocate(image, pe, base - pe->preferred_base);
    if (!NT_SUCCESS(status))
        return status;
    memcpy(image + pe->image_base_offset, &base, pe->address_size);
    return STATUS_IMAGE_NOT_AT_BASE;
}

static ULONG section_mask(const struct rtl_pe_section *part)
{
    if (part->executable)
        return part->readable ? MM_EXECUTE_READ : MM_EXECUTE;
    return part->writable ? MM_READWRITE : MM_READONLY;
}

static void commit_part(EPROCESS *process, ULONGLONG base, const UCHAR *image,
                        ULONG rva, ULONG size, ULONG mask, ULONG_PTR *charge)
{
    ULONG end = (ULONG)ALIGN_UP(rva + size, PAGE_SIZE);

    for (; rva < end; rva += PAGE_SIZE)
        mi_commit_filled(process, base + rva, mask, image + rva, PAGE_SIZE,
                         charge);
}

/* What lies between the parts stays reserved. */
static void commit_image(EPROCESS *process, ULONGLONG base,
                         const struct mi_section *section, const UCHAR *image,
                         ULONG_PTR *charge)
{
    commit_part(process, base, image, 0, section->pe.size_of_headers,
                MM_READONLY, charge);
    for (ULONG i = 0; i < section->pe.section_count; i++) {
        struct rtl_pe_section part;

        rtl_pe_section(section->bytes, &section->pe, i, &part);
        commit_part(process, base, image, part.rva, part.virtual_size,
                    section_mask(&part), charge);
    }
}

/* From a finished image to a view. */
static NTSTATUS map(EPROCESS *process, struct mi_section *section,
                    ULONGLONG base, const UCHAR *image)
{
    ULONGLONG end = base + section->pe.size_of_image;
    struct mi_vad *vad;
    ULONG_PTR charge;
    NTSTATUS status = mi_prepare_commit(base, end, &charge);

    if (!NT_SUCCESS(status))
        return status;
    status = mi_insert_vad(process, base, end, MEM_IMAGE,
                           PAGE_EXECUTE_WRITECOPY, &vad);
    if (NT_SUCCESS(status)) {
        ObReferenceObject(section);
        vad->section = section;
        commit_image(process, base, section, image, &charge);
    }
    mi_uncharge_pages(charge);
    return status;
}

NTSTATUS mi_map_image_view(EPROCESS *process, struct mi_section *section,
                           ULONGLONG hint, ULONGLONG limit, ULONGLONG *base)
{
    SIZE_T size = section->pe.size_of_image;
    UCHAR *image;
    NTSTATUS status, relocated;

    if (section->pe.machine != ps_machine(process))
        return STATUS_INVALID_IMAGE_FORMAT;
    status = choose_base(process, &section->pe, hint, limit, base);
    if (!NT_SUCCESS(status))
        return status;
    image = size > MAX_IMAGE ? NULL
                             : ExAllocatePool2(POOL_FLAG_NON_PAGED, size,
                                               IMAGE_TAG);
    if (!image)
        return STATUS_NO_MEMORY;
    lay_out(image, section);
    relocated = relocate(image, &section->pe, *base);
    status = NT_SUCCESS(relocated) ? map(process, section, *base, image)
                                   : relocated;
    ExFreePoolWithTag(image, IMAGE_TAG);
    return NT_SUCCESS(status) ? relocated : status;
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
