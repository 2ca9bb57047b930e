/*
 * ps/attribute.c - the list of attributes that a creator of threads and
 * processes passes: captured first, answered last.
 *
 * An attribute that is not known here is refused: it would change something
 * that its caller relies on.
 */
#include "psp.h"

#define MOST_ATTRIBUTES 32
#define TEXT_TAG 0x78547350             /* "PsTx" */

NTSTATUS psp_capture_text(const UNICODE_STRING *string,
                          UNICODE_STRING *result)
{
    WCHAR *copy;
    NTSTATUS status = mm_probe_for_read(string->Buffer, string->Length, 1);

    *result = (UNICODE_STRING){ 0 };
    if (!NT_SUCCESS(status) || string->Length == 0)
        return status;
    copy = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                           string->Length + sizeof(WCHAR), TEXT_TAG);
    if (!copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = mm_copy_from_user(copy, string->Buffer, string->Length);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(copy, TEXT_TAG);
        return status;
    }
    result->Length = string->Length;
    result->MaximumLength = string->Length + sizeof(WCHAR);
    result->Buffer = copy;
    return STATUS_SUCCESS;
}

void psp_free_text(UNICODE_STRING *string)
{
    if (string->Buffer)
        ExFreePoolWithTag(string->Buffer, TEXT_TAG);
    string->Buffer = NULL;
}

static struct psp_answer *answer_of(struct psp_attributes *attributes,
                                    ULONG_PTR number)
{
    switch (number) {
    case PS_ATTRIBUTE_CLIENT_ID:
        return &attributes->client_id;
    case PS_ATTRIBUTE_TEB_ADDRESS:
        return &attributes->teb;
    case PS_ATTRIBUTE_IMAGE_INFO:
        return &attributes->image;
    default:
        return NULL;
    }
}

static ULONG answer_size(ULONG_PTR number)
{
    switch (number) {
    case PS_ATTRIBUTE_CLIENT_ID:
        return sizeof(CLIENT_ID);
    case PS_ATTRIBUTE_TEB_ADDRESS:
        return sizeof(TEB *);
    default:
        return sizeof(SECTION_IMAGE_INFORMATION);
    }
}

static NTSTATUS take_answer(const PS_ATTRIBUTE *from,
                            struct psp_answer *answer)
{
    NTSTATUS status;

    if (from->Size != answer_size(from->Attribute))
        return STATUS_INFO_LENGTH_MISMATCH;
    status = mm_probe_for_write(from->ValuePtr, from->Size, sizeof(ULONG));
    if (NT_SUCCESS(status) && from->ReturnLength)
        status = mm_probe_for_write(from->ReturnLength, sizeof(SIZE_T),
                                    sizeof(ULONG));
    answer->to = from->ValuePtr;
    answer->size = from->Size;
    answer->length = from->ReturnLength;
    return status;
}

static NTSTATUS take_name(const PS_ATTRIBUTE *from, UNICODE_STRING *name)
{
    UNICODE_STRING string = {
        .Length = (USHORT)from->Size,
        .MaximumLength = (USHORT)from->Size,
        .Buffer = from->ValuePtr,
    };

    if (from->Size == 0 || from->Size % sizeof(WCHAR) ||
        from->Size > 0xFFFC || name->Buffer)
        return STATUS_INVALID_PARAMETER;
    return psp_capture_text(&string, name);
}

static NTSTATUS take(const PS_ATTRIBUTE *from, ULONG allowed,
                     struct psp_attributes *attributes)
{
    struct psp_answer *answer = answer_of(attributes, from->Attribute);

    if (allowed && !(from->Attribute & allowed))
        return STATUS_INVALID_PARAMETER;
    if (answer)
        return take_answer(from, answer);
    if (from->Attribute == PS_ATTRIBUTE_IMAGE_NAME)
        return take_name(from, &attributes->image_name);
    if (from->Attribute == PS_ATTRIBUTE_PARENT_PROCESS) {
        attributes->parent = (HANDLE)from->Value;
        return STATUS_SUCCESS;
    }
    return STATUS_INVALID_PARAMETER;
}

NTSTATUS psp_capture_attributes(const PS_ATTRIBUTE_LIST *list, ULONG allowed,
                                struct psp_attributes *attributes)
{
    const SIZE_T head = offsetof(PS_ATTRIBUTE_LIST, Attributes);
    SIZE_T length;
    NTSTATUS status;

    memset(attributes, 0, sizeof *attributes);
    if (!list)
        return STATUS_SUCCESS;
    status = mm_probe_for_read(list, head, sizeof(SIZE_T));
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&length, &list->TotalLength,
                                   sizeof length);
    if (NT_SUCCESS(status) &&
        (length < head || (length - head) % sizeof(PS_ATTRIBUTE) ||
         (length - head) / sizeof(PS_ATTRIBUTE) > MOST_ATTRIBUTES))
        status = STATUS_INVALID_PARAMETER;
    for (SIZE_T at = head; NT_SUCCESS(status) && at < length;
         at += sizeof(PS_ATTRIBUTE)) {
        PS_ATTRIBUTE attribute;

        status = mm_copy_from_user(&attribute, (const UCHAR *)list + at,
                                   sizeof attribute);
        if (NT_SUCCESS(status))
            status = take(&attribute, allowed, attributes);
    }
    if (!NT_SUCCESS(status))
        psp_free_attributes(attributes);
    return status;
}

void psp_free_attributes(struct psp_attributes *attributes)
{
    psp_free_text(&attributes->image_name);
}

/* What ring 3 has made unwritable meanwhile stays unanswered. */
void psp_give_answer(const struct psp_answer *answer, const void *value)
{
    if (!answer->to)
        return;
    (void)mm_copy_to_user(answer->to, value, answer->size);
    if (answer->length)
        (void)mm_copy_to_user(answer->length, &answer->size,
                              sizeof answer->size);
}
