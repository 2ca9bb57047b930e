/*
 * mm/sectionquery.c - sections by name, and what a section tells of itself.
 */
#include "vad.h"

#include <nt/ntapi.h>

/* What ObOpenObjectByName says. */
NTSTATUS NtOpenSection(HANDLE *SectionHandle, ACCESS_MASK DesiredAccess,
                       OBJECT_ATTRIBUTES *ObjectAttributes)
{
    HANDLE handle;
    NTSTATUS status = mm_probe_for_write(SectionHandle, sizeof(HANDLE), 1);

    if (NT_SUCCESS(status))
        status = ObOpenObjectByName(ObjectAttributes, MmSectionObjectType,
                                    ExGetPreviousMode(), DesiredAccess,
                                    &handle);
    if (NT_SUCCESS(status))
        (void)mm_copy_to_user(SectionHandle, &handle, sizeof handle);
    return status;
}

/* Field by field into zeroes: what is between the fields goes out, too. */
static void describe_basic(const struct mi_section *section,
                           SECTION_BASIC_INFORMATION *information)
{
    information->AllocationAttributes = section->attributes;
    information->MaximumSize.QuadPart =
        section->image ? section->information.size_of_image : section->size;
}

void mm_describe_image(void *object, SECTION_IMAGE_INFORMATION *information)
{
    const struct mi_section *section = object;
    const struct mm_image_information *image = &section->information;

    memset(information, 0, sizeof *information);
    information->TransferAddress = (void *)(image->preferred_base +
                                            image->entry_point);
    information->MaximumStackSize = image->stack_reserve;
    information->CommittedStackSize = image->stack_commit;
    information->SubSystemType = image->subsystem;
    information->SubSystemMajorVersion = image->subsystem_major;
    information->SubSystemMinorVersion = image->subsystem_minor;
    information->ImageCharacteristics = image->characteristics;
    information->DllCharacteristics = image->dll_characteristics;
    information->Machine = image->machine;
    information->ImageContainsCode = TRUE;
    information->ImageFileSize = (ULONG)section->size;
}

/* The answer to a class, of the size it has. */
union answer {
    SECTION_BASIC_INFORMATION basic;
    SECTION_IMAGE_INFORMATION image;
};

static NTSTATUS describe(struct mi_section *section, ULONG class,
                         union answer *answer)
{
    if (class == SectionBasicInformation) {
        describe_basic(section, &answer->basic);
        return STATUS_SUCCESS;
    }
    if (!section->image)
        return STATUS_SECTION_NOT_IMAGE;
    mm_describe_image(section, &answer->image);
    return STATUS_SUCCESS;
}

static NTSTATUS query(HANDLE handle, ULONG class, union answer *answer)
{
    struct mi_section *section;
    NTSTATUS status = ObReferenceObjectByHandle(handle, SECTION_QUERY,
                                                MmSectionObjectType,
                                                ExGetPreviousMode(),
                                                (void **)&section);

    if (!NT_SUCCESS(status))
        return status;
    status = describe(section, class, answer);
    ObDereferenceObject(section);
    return status;
}

/*
 * STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH: too short;
 * STATUS_SECTION_NOT_IMAGE.
 */
NTSTATUS NtQuerySection(HANDLE SectionHandle, ULONG SectionInformationClass,
                        void *SectionInformation,
                        SIZE_T SectionInformationLength, SIZE_T *ReturnLength)
{
    union answer answer;
    SIZE_T size = SectionInformationClass == SectionBasicInformation
                      ? sizeof answer.basic : sizeof answer.image;
    NTSTATUS status = mm_probe_for_write(SectionInformation,
                                         SectionInformationLength,
                                         sizeof(ULONG));

    if (NT_SUCCESS(status) && ReturnLength)
        status = mm_probe_for_write(ReturnLength, sizeof size, 1);
    if (!NT_SUCCESS(status))
        return status;
    if (SectionInformationClass > SectionImageInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (SectionInformationLength < size)
        return STATUS_INFO_LENGTH_MISMATCH;
    memset(&answer, 0, sizeof answer);
    status = query(SectionHandle, SectionInformationClass, &answer);
    if (NT_SUCCESS(status))
        status = mm_copy_to_user(SectionInformation, &answer, size);
    if (NT_SUCCESS(status) && ReturnLength)
        status = mm_copy_to_user(ReturnLength, &size, sizeof size);
    return status;
}
