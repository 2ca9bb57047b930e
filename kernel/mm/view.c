/*
 * mm/view.c - NtMapViewOfSection and NtUnmapViewOfSection.
 *
 * An image is mapped whole, with the protections of its own sections (mm/
 * image.c).  A view of data starts at a multiple of 64 KiB in its section and
 * shows the section's own pages, those of a reserved section as soon as
 * somebody has committed them; with PAGE_WRITECOPY what is written there is
 * copied first, so all of it is charged for.
 *
 * Views cannot be inherited by another process, for there is none.
 */
#include "vad.h"

#include <nt/ntapi.h>

struct request {
    ULONGLONG base, limit;
    SIZE_T size, commit_size;
    LARGE_INTEGER offset;
    ULONG inherit, type, protect, mask;
};

static NTSTATUS check_numbers(const struct request *request)
{
    if (request->inherit != ViewShare && request->inherit != ViewUnmap)
        return STATUS_INVALID_PARAMETER_8;
    if (request->type & ~MEM_TOP_DOWN)
        return STATUS_INVALID_PARAMETER_9;
    if (request->mask == MM_INVALID_PROTECTION)
        return STATUS_INVALID_PAGE_PROTECTION;
    return STATUS_SUCCESS;
}

static NTSTATUS capture_offset(LARGE_INTEGER *user, LARGE_INTEGER *offset)
{
    NTSTATUS status;

    offset->QuadPart = 0;
    if (!user)
        return STATUS_SUCCESS;
    status = mm_probe_for_write(user, sizeof *user, 1);
    return NT_SUCCESS(status) ? mm_copy_from_user(offset, user, sizeof *offset)
                              : status;
}

static NTSTATUS check_region(const struct request *request)
{
    ULONGLONG end = mi_regions_end(PsGetCurrentProcess());

    if (request->base >= end)
        return STATUS_INVALID_PARAMETER_3;
    if (request->limit == 0)
        return STATUS_INVALID_PARAMETER_4;
    if (end - request->base < request->size ||
        (request->size && request->commit_size > request->size))
        return STATUS_INVALID_PARAMETER_5;
    if ((request->base | (ULONGLONG)request->offset.QuadPart) &
        (ALLOCATION_GRANULARITY - 1))
        return STATUS_MAPPED_ALIGNMENT;
    return STATUS_SUCCESS;
}

/* Rights that a protection gives to a view, or needs from it. */
#define CAN_READ 1
#define CAN_WRITE 2
#define CAN_EXECUTE 4

static ULONG rights(ULONG mask)
{
    static const UCHAR base_rights[] = {
        [MM_READONLY] = CAN_READ,
        [MM_EXECUTE] = CAN_EXECUTE,
        [MM_EXECUTE_READ] = CAN_READ | CAN_EXECUTE,
        [MM_READWRITE] = CAN_READ | CAN_WRITE,
        [MM_WRITECOPY] = CAN_READ,
        [MM_EXECUTE_READWRITE] = CAN_READ | CAN_WRITE | CAN_EXECUTE,
        [MM_EXECUTE_WRITECOPY] = CAN_READ | CAN_EXECUTE,
    };

    return mask == MM_NOACCESS ? 0 : base_rights[mask & MM_BASE_MASK];
}

/* What the section's handle must allow for such a view. */
static ACCESS_MASK section_access(ULONG mask)
{
    ULONG needed = rights(mask);

    if (needed & CAN_WRITE)
        return SECTION_MAP_WRITE |
               (needed & CAN_EXECUTE ? SECTION_MAP_EXECUTE : 0);
    if (needed & CAN_EXECUTE)
        return SECTION_MAP_EXECUTE |
               (needed & CAN_READ ? SECTION_MAP_READ : 0);
    return SECTION_MAP_READ;
}

NTSTATUS mi_check_view_mask(ULONG allowed, ULONG mask)
{
    if (mi_is_write_execute(mask))
        return STATUS_DYNAMIC_CODE_BLOCKED;
    if (rights(mask) & ~rights(allowed))
        return STATUS_SECTION_PROTECTION;
    return STATUS_SUCCESS;
}

/* The view's bytes in the section: size 0 means all that is left. */
static NTSTATUS check_view_size(const struct mi_section *section,
                                struct request *request)
{
    ULONGLONG offset = (ULONGLONG)request->offset.QuadPart;

    if (offset >= section->size)
        return STATUS_INVALID_VIEW_SIZE;
    if (request->size == 0)
        request->size = section->size - offset;
    if (request->size > ALIGN_UP(section->size, PAGE_SIZE) - offset)
        return STATUS_INVALID_VIEW_SIZE;
    request->size = ALIGN_UP(request->size, PAGE_SIZE);
    return STATUS_SUCCESS;
}

static NTSTATUS choose_place(EPROCESS *process, struct request *request)
{
    if (request->base)
        return mi_is_range_free(process, request->base,
                                request->base + request->size)
                   ? STATUS_SUCCESS : STATUS_CONFLICTING_ADDRESSES;
    request->base = mi_find_gap(process, request->size,
                                MM_LOWEST_USER_ADDRESS, request->limit,
                                (request->type & MEM_TOP_DOWN) != 0);
    return request->base ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

static NTSTATUS insert_view(EPROCESS *process, struct mi_section *section,
                            const struct request *request)
{
    ULONGLONG end = request->base + request->size;
    struct mi_vad *vad;
    ULONG_PTR charge;
    NTSTATUS status = mi_prepare_pages(request->base, end,
                                       mi_is_copy(request->mask)
                                           ? request->size >> PAGE_SHIFT : 0,
                                       &charge);

    if (!NT_SUCCESS(status))
        return status;
    status = mi_insert_vad(process, request->base, end, MEM_MAPPED,
                           request->protect, &vad);
    if (NT_SUCCESS(status)) {
        ObReferenceObject(section);
        vad->section = section;
        mi_map_prototypes(process, request->base, end,
                          section->segment->prototypes +
                              (request->offset.QuadPart >> PAGE_SHIFT),
                          request->mask, &charge);
    }
    mi_uncharge_pages(charge);
    return status;
}

static NTSTATUS map_data(EPROCESS *process, struct mi_section *section,
                         struct request *request)
{
    NTSTATUS status = mi_check_view_mask(section->mask, request->mask);

    if (NT_SUCCESS(status))
        status = check_view_size(section, request);
    if (NT_SUCCESS(status))
        status = choose_place(process, request);
    return NT_SUCCESS(status) ? insert_view(process, section, request)
                              : status;
}

/* The protection that is asked for does not matter to an image. */
static NTSTATUS map_image(EPROCESS *process, struct mi_section *section,
                          struct request *request)
{
    NTSTATUS status = mi_map_image_view(process, section, request->base,
                                        request->limit, &request->base);

    request->offset.QuadPart = 0;
    request->size = section->segment->pe.size_of_image;
    return status;
}

static NTSTATUS map(EPROCESS *process, struct mi_section *section,
                    struct request *request)
{
    struct mi_visit visit;
    NTSTATUS status = mi_enter_space(process, &visit);

    if (!NT_SUCCESS(status))
        return status;
    status = section->image ? map_image(process, section, request)
                            : map_data(process, section, request);
    mi_leave_space(&visit);
    return status;
}

static NTSTATUS map_section(HANDLE handle, EPROCESS *process,
                            struct request *request)
{
    struct mi_section *section;
    NTSTATUS status = ObReferenceObjectByHandle(handle,
                                                section_access(request->mask),
                                                MmSectionObjectType,
                                                ExGetPreviousMode(),
                                                (void **)&section);

    if (!NT_SUCCESS(status))
        return status;
    status = map(process, section, request);
    ObDereferenceObject(section);
    return status;
}

static NTSTATUS map_view(HANDLE section, HANDLE process_handle,
                         struct request *request)
{
    EPROCESS *process;
    NTSTATUS status = check_region(request);

    if (NT_SUCCESS(status))
        status = mi_reference_process(process_handle, PROCESS_VM_OPERATION,
                                      &process);
    if (!NT_SUCCESS(status))
        return status;
    status = map_section(section, process, request);
    ObDereferenceObject(process);
    return status;
}

/*
 * STATUS_IMAGE_NOT_AT_BASE (a success), STATUS_INVALID_PARAMETER_3 to _5, _8
 * and _9, STATUS_INVALID_PAGE_PROTECTION, STATUS_MAPPED_ALIGNMENT,
 * STATUS_INVALID_VIEW_SIZE, STATUS_SECTION_PROTECTION, STATUS_DYNAMIC_CODE_
 * BLOCKED, STATUS_CONFLICTING_ADDRESSES, STATUS_NO_MEMORY,
 * STATUS_COMMITMENT_LIMIT, STATUS_PROCESS_IS_TERMINATING.
 */
NTSTATUS NtMapViewOfSection(HANDLE SectionHandle, HANDLE ProcessHandle,
                            void **BaseAddress, ULONG_PTR ZeroBits,
                            SIZE_T CommitSize, LARGE_INTEGER *SectionOffset,
                            SIZE_T *ViewSize, ULONG InheritDisposition,
                            ULONG AllocationType, ULONG Win32Protect)
{
    struct request request = {
        .limit = mi_zero_bits_limit(ZeroBits),
        .commit_size = CommitSize,
        .inherit = InheritDisposition,
        .type = AllocationType,
        .protect = Win32Protect,
        .mask = MiMakeProtectionMask(Win32Protect),
    };
    NTSTATUS status = check_numbers(&request);

    if (NT_SUCCESS(status))
        status = mi_capture_region(BaseAddress, ViewSize, &request.base,
                                   &request.size);
    if (NT_SUCCESS(status))
        status = capture_offset(SectionOffset, &request.offset);
    if (NT_SUCCESS(status))
        status = map_view(SectionHandle, ProcessHandle, &request);
    if (!NT_SUCCESS(status))
        return status;
    mi_return_region(BaseAddress, ViewSize, request.base, request.size);
    if (SectionOffset)
        (void)mm_copy_to_user(SectionOffset, &request.offset,
                              sizeof request.offset);
    return status;
}

static NTSTATUS unmap(EPROCESS *process, ULONGLONG address)
{
    struct mi_visit visit;
    struct mi_vad *vad;
    NTSTATUS status = mi_enter_space(process, &visit);

    if (!NT_SUCCESS(status))
        return status;
    vad = mi_find_vad(process, address);
    if (vad && vad->section)
        mi_delete_region(process, vad);
    else
        status = STATUS_NOT_MAPPED_VIEW;
    mi_leave_space(&visit);
    return status;
}

/*
 * STATUS_NOT_MAPPED_VIEW, STATUS_PROCESS_IS_TERMINATING; any address in the
 * view will do.
 */
NTSTATUS NtUnmapViewOfSection(HANDLE ProcessHandle, void *BaseAddress)
{
    ULONGLONG highest = mi_highest_user_address(PsGetCurrentProcess());
    EPROCESS *process;
    NTSTATUS status;

    if ((ULONG_PTR)BaseAddress > highest)
        return STATUS_NOT_MAPPED_VIEW;
    status = mi_reference_process(ProcessHandle, PROCESS_VM_OPERATION,
                                  &process);
    if (!NT_SUCCESS(status))
        return status;
    status = unmap(process, (ULONG_PTR)BaseAddress);
    ObDereferenceObject(process);
    return status;
}
