/*
 * ob/reference.c - an object's life, from creation to its last reference.
 *
 * Whoever keeps a pointer to an object holds a reference; every handle holds
 * one, too, and so does the entry of a directory.  An object dies in the
 * dereference that takes the last one: at PASSIVE_LEVEL there and then, from a
 * higher level in a thread of its own (delete.c).
 */
#include "obp.h"
#include <mm.h>

NTSTATUS obp_allocate_object(OBJECT_TYPE *type, SIZE_T size, UCHAR mask,
                             void **object)
{
    SIZE_T info = obp_info_size(mask);
    char *base = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                 info + offsetof(OBJECT_HEADER, Body) + size,
                                 OBP_TAG);
    OBJECT_HEADER *header = (OBJECT_HEADER *)(base + info);
    ULONG count;

    if (base == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    header->PointerCount = 1;
    header->InfoMask = mask;
    header->TypeIndex = obp_encode_type(header, type->Index);
    count = __sync_add_and_fetch(&type->TotalNumberOfObjects, 1);
    if (count > type->HighWaterNumberOfObjects)
        type->HighWaterNumberOfObjects = count;
    *object = &header->Body;
    return STATUS_SUCCESS;
}

NTSTATUS ob_create_object(OBJECT_TYPE *type, SIZE_T size, void **object)
{
    return obp_allocate_object(type, size, 0, object);
}

/* A count that was wrong already: going on would free memory in use. */
__attribute__((noreturn))
static void obp_bad_reference(OBJECT_HEADER *header)
{
    KeBugCheckEx(REFERENCE_BY_POINTER, header->TypeIndex,
                 (ULONG_PTR)&header->Body, header->HandleCount,
                 header->PointerCount);
}

LONGLONG ObfReferenceObject(void *object)
{
    OBJECT_HEADER *header = obp_header(object);
    LONGLONG count = __sync_add_and_fetch(&header->PointerCount, 1);

    if (count <= 1)
        obp_bad_reference(header);
    return count;
}

BOOLEAN ObReferenceObjectSafe(void *object)
{
    OBJECT_HEADER *header = obp_header(object);
    LONGLONG count = header->PointerCount;

    while (count > 0) {
        LONGLONG seen = __sync_val_compare_and_swap(&header->PointerCount,
                                                    count, count + 1);

        if (seen == count)
            return TRUE;
        count = seen;
    }
    return FALSE;
}

/* What is left; the last one of an object with handles is a bugcheck. */
static LONGLONG obp_dereference(OBJECT_HEADER *header)
{
    LONGLONG count = __sync_sub_and_fetch(&header->PointerCount, 1);

    if (count < 0 || (count == 0 && header->HandleCount != 0))
        obp_bad_reference(header);
    return count;
}

LONGLONG ObfDereferenceObject(void *object)
{
    OBJECT_HEADER *header = obp_header(object);
    LONGLONG count = obp_dereference(header);

    if (count == 0 && KeGetCurrentIrql() == PASSIVE_LEVEL)
        obp_delete_object(header);
    else if (count == 0)
        obp_defer_deletion(header);
    return count;
}

void ObDereferenceObjectDeferDelete(void *object)
{
    OBJECT_HEADER *header = obp_header(object);

    if (obp_dereference(header) == 0)
        obp_defer_deletion(header);
}
