/*
 * ob/reference.c - an object's life, from creation to its last reference.
 *
 * Whoever keeps a pointer to an object holds a reference; every handle holds
 * one, too.  An object dies in the dereference that takes the last one, in
 * the context of whoever made it.
 */
#include "obp.h"
#include <mm.h>

NTSTATUS ob_create_object(OBJECT_TYPE *type, SIZE_T size, void **object)
{
    OBJECT_HEADER *header =
        ExAllocatePool2(POOL_FLAG_NON_PAGED,
                        offsetof(OBJECT_HEADER, Body) + size, OBP_TAG);

    if (header == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    header->PointerCount = 1;
    header->TypeIndex = obp_encode_type(header, type->Index);
    type->TotalNumberOfObjects++;
    if (type->TotalNumberOfObjects > type->HighWaterNumberOfObjects)
        type->HighWaterNumberOfObjects = type->TotalNumberOfObjects;
    *object = &header->Body;
    return STATUS_SUCCESS;
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

    if (header->PointerCount <= 0)
        obp_bad_reference(header);
    return ++header->PointerCount;
}

static void obp_delete_object(OBJECT_HEADER *header)
{
    OBJECT_TYPE *type = ObGetObjectType(&header->Body);

    if (header->HandleCount != 0)
        obp_bad_reference(header);
    if (type->TypeInfo.DeleteProcedure != NULL)
        type->TypeInfo.DeleteProcedure(&header->Body);
    type->TotalNumberOfObjects--;
    ExFreePoolWithTag(header, OBP_TAG);
}

LONGLONG ObfDereferenceObject(void *object)
{
    OBJECT_HEADER *header = obp_header(object);
    LONGLONG count = --header->PointerCount;

    if (count < 0)
        obp_bad_reference(header);
    if (count == 0)
        obp_delete_object(header);
    return count;
}
