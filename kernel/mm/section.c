/*
 * mm/section.c - section objects: something that can be mapped.
 *
 * A section is an image (a PE, checked when the section is made), the bytes
 * of a boot file, or memory without a file that all its views share.  Boot
 * files stay in memory for ever, so a section needs no reference to its file.
 *
 * The pages belong to a segment, which all sections of a file share
 * (segment.c).  What else can be done with a section is in sectionquery.c and
 * view.c.
 */
#include "vad.h"

#include <io.h>
#include <nt/ntapi.h>

#define SECTION_RIGHTS (SECTION_ALL_ACCESS | SYNCHRONIZE)
#define MAX_SECTION 0x20000000ULL       /* of pages of its own: 512 MiB */

OBJECT_TYPE *MmSectionObjectType SEALED;

static void delete_section(void *object)
{
    struct mi_section *section = object;

    if (section->segment)
        mi_dereference_segment(section->segment);
}

/*
 * What ring 3 asks NtCreateSection for.  Sections that the kernel makes for
 * itself have no request, no name and no handle.
 */
struct request {
    ULONG mask, attributes;
    HANDLE file;
    ULONGLONG size;         /* MaximumSize; 0: the file's */
    const OBJECT_ATTRIBUTES *name;
};

void mm_initialize_sections(void)
{
    MmSectionObjectType = ob_create_type(L"Section", SECTION_RIGHTS,
                                         delete_section);
    MmSectionObjectType->TypeInfo.GenericMapping = (GENERIC_MAPPING){
        READ_CONTROL | SECTION_QUERY | SECTION_MAP_READ,
        READ_CONTROL | SECTION_MAP_WRITE,
        READ_CONTROL | SECTION_MAP_EXECUTE,
        SECTION_ALL_ACCESS
    };
}

static NTSTATUS create_object(const struct request *request,
                              struct mi_section **section)
{
    if (!request)
        return ob_create_object(MmSectionObjectType, sizeof **section,
                                (void **)section);
    return ObCreateObject(ExGetPreviousMode(), MmSectionObjectType,
                          request->name, sizeof **section, (void **)section);
}

/* It takes over the segment's reference, whatever happens. */
static NTSTATUS create_over_segment(const struct request *request,
                                    struct mi_segment *segment,
                                    struct mi_section **result)
{
    NTSTATUS status = create_object(request, result);

    if (NT_SUCCESS(status))
        (*result)->segment = segment;
    else
        mi_dereference_segment(segment);
    return status;
}

static void describe_image(struct mi_section *section)
{
    const struct rtl_pe *pe = &section->segment->pe;

    section->information = (struct mm_image_information){
        .preferred_base = pe->preferred_base,
        .stack_reserve = pe->stack_reserve,
        .stack_commit = pe->stack_commit,
        .size_of_image = pe->size_of_image,
        .machine = pe->machine,
        .entry_point = pe->entry_point,
        .subsystem = pe->subsystem,
        .subsystem_major = pe->subsystem_major,
        .subsystem_minor = pe->subsystem_minor,
        .characteristics = pe->characteristics,
        .dll_characteristics = pe->dll_characteristics,
    };
}

static ULONG attributes_of(const struct request *request, ULONG own)
{
    return own | (request ? request->attributes & SEC_NOCACHE : 0);
}

static NTSTATUS create_bytes_section(const struct request *request,
                                     const void *bytes, SIZE_T size,
                                     BOOLEAN image, void **result)
{
    struct mi_segment *segment;
    struct mi_section *section;
    NTSTATUS status = mi_reference_file_segment(bytes, size, image, &segment);

    if (NT_SUCCESS(status))
        status = create_over_segment(request, segment, &section);
    if (!NT_SUCCESS(status))
        return status;
    section->size = size;
    section->image = image;
    section->mask = request ? request->mask : MM_READONLY;
    section->attributes = attributes_of(request, image ? SEC_FILE | SEC_IMAGE
                                                       : SEC_FILE);
    describe_image(section);
    *result = section;
    return STATUS_SUCCESS;
}

NTSTATUS mm_create_section(const void *bytes, SIZE_T size, BOOLEAN image,
                           void **result)
{
    return create_bytes_section(NULL, bytes, size, image, result);
}

const struct mm_image_information *mm_section_image(void *object)
{
    const struct mi_section *section = object;

    return section->image ? &section->information : NULL;
}

/* Pages without a file: zeroes at first. */
static NTSTATUS create_memory_section(const struct request *request,
                                      void **result)
{
    SIZE_T size = ALIGN_UP(request->size, PAGE_SIZE);
    BOOLEAN reserve = (request->attributes & SEC_RESERVE) != 0;
    struct mi_segment *segment;
    struct mi_section *section;
    NTSTATUS status;

    if (request->size > MAX_SECTION)
        return STATUS_SECTION_TOO_BIG;
    status = mi_create_segment(size >> PAGE_SHIFT, reserve, &segment);
    if (NT_SUCCESS(status))
        status = create_over_segment(request, segment, &section);
    if (!NT_SUCCESS(status))
        return status;
    section->size = size;
    section->reserve = reserve;
    section->mask = request->mask;
    section->attributes = attributes_of(request, reserve ? SEC_RESERVE
                                                         : SEC_COMMIT);
    *result = section;
    return STATUS_SUCCESS;
}

/* ---- NtCreateSection ---- */

static NTSTATUS check_numbers(const struct request *request)
{
    BOOLEAN image = request->attributes == SEC_IMAGE;
    ULONG kind = request->attributes & ~SEC_NOCACHE;

    if (!image && kind != SEC_COMMIT && kind != SEC_RESERVE)
        return STATUS_INVALID_PARAMETER_6;
    if (request->mask == MM_INVALID_PROTECTION ||
        (request->mask & ~MM_BASE_MASK))
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!image && mi_is_write_execute(request->mask))
        return STATUS_DYNAMIC_CODE_BLOCKED;
    return STATUS_SUCCESS;
}

static NTSTATUS capture(HANDLE *user_handle, const LARGE_INTEGER *user_size,
                        ULONGLONG *size)
{
    NTSTATUS status = mm_probe_for_write(user_handle, sizeof(HANDLE), 1);

    *size = 0;
    if (NT_SUCCESS(status) && user_size)
        status = mm_probe_for_read(user_size, sizeof *size, 4);
    if (NT_SUCCESS(status) && user_size)
        status = mm_copy_from_user(size, user_size, sizeof *size);
    return status;
}

/* What the file's handle must allow for a section with this protection. */
static ACCESS_MASK file_access(ULONG mask)
{
    static const ACCESS_MASK access[] = {
        [MM_READONLY] = FILE_READ_DATA,
        [MM_EXECUTE] = FILE_EXECUTE,
        [MM_EXECUTE_READ] = FILE_EXECUTE | FILE_READ_DATA,
        [MM_READWRITE] = FILE_READ_DATA | FILE_WRITE_DATA,
        [MM_WRITECOPY] = FILE_READ_DATA,
        [MM_EXECUTE_READWRITE] = FILE_EXECUTE | FILE_READ_DATA |
                                 FILE_WRITE_DATA,
        [MM_EXECUTE_WRITECOPY] = FILE_EXECUTE | FILE_READ_DATA,
    };

    return access[mask & MM_BASE_MASK];
}

static NTSTATUS create_over_bytes(const struct request *request,
                                  const void *bytes, SIZE_T size,
                                  void **result)
{
    BOOLEAN image = request->attributes == SEC_IMAGE;

    if (!image && (file_access(request->mask) & FILE_WRITE_DATA))
        return STATUS_ACCESS_DENIED;
    if (!image && size == 0)
        return STATUS_MAPPED_FILE_SIZE_ZERO;
    if (!image && request->size > size)
        return STATUS_SECTION_TOO_BIG;
    if (!image && request->size)
        size = request->size;
    return create_bytes_section(request, bytes, size, image, result);
}

static NTSTATUS create_over_file(const struct request *request, void **result)
{
    const void *bytes;
    SIZE_T size;
    void *file;
    NTSTATUS status = ObReferenceObjectByHandle(request->file,
                                                file_access(request->mask),
                                                IoFileObjectType,
                                                ExGetPreviousMode(), &file);

    if (!NT_SUCCESS(status))
        return status;
    status = io_file_bytes(file, &bytes, &size);
    if (NT_SUCCESS(status))
        status = create_over_bytes(request, bytes, size, result);
    ObDereferenceObject(file);
    return status;
}

static NTSTATUS create_without_file(const struct request *request,
                                    void **result)
{
    if (request->attributes == SEC_IMAGE)
        return STATUS_INVALID_FILE_FOR_SECTION;
    if (request->size == 0)
        return STATUS_INVALID_PARAMETER_4;
    return create_memory_section(request, result);
}

/*
 * STATUS_INVALID_PARAMETER_4 and _6, STATUS_INVALID_PAGE_PROTECTION,
 * STATUS_DYNAMIC_CODE_BLOCKED, STATUS_INVALID_FILE_FOR_SECTION,
 * STATUS_MAPPED_FILE_SIZE_ZERO, STATUS_SECTION_TOO_BIG,
 * STATUS_COMMITMENT_LIMIT, what rtl/pe.c says of a broken image, what a handle
 * may be wrong with, and what ObCreateObject and ObInsertObject say.
 */
NTSTATUS NtCreateSection(HANDLE *SectionHandle, ACCESS_MASK DesiredAccess,
                         OBJECT_ATTRIBUTES *ObjectAttributes,
                         LARGE_INTEGER *MaximumSize,
                         ULONG SectionPageProtection,
                         ULONG AllocationAttributes, HANDLE FileHandle)
{
    struct request request = {
        .mask = MiMakeProtectionMask(SectionPageProtection),
        .attributes = AllocationAttributes,
        .file = FileHandle,
        .name = ObjectAttributes,
    };
    HANDLE handle;
    void *section;
    NTSTATUS status = check_numbers(&request);

    if (NT_SUCCESS(status))
        status = capture(SectionHandle, MaximumSize, &request.size);
    if (NT_SUCCESS(status))
        status = FileHandle ? create_over_file(&request, &section)
                            : create_without_file(&request, &section);
    if (!NT_SUCCESS(status))
        return status;
    status = ObInsertObject(section, DesiredAccess, &handle);
    if (NT_SUCCESS(status))
        (void)mm_copy_to_user(SectionHandle, &handle, sizeof handle);
    return status;
}
