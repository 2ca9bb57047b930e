/*
 * ob/type.c - object types.
 *
 * A type says what all its objects have in common: which rights a handle can
 * carry and what to do when the last reference goes.  Objects name their type
 * by an index, one byte of their header.  NT stores that byte XORed with a
 * boot-time cookie and with a byte of the header's own address, so that an
 * overwritten header rarely passes for another type; so do we.
 */
#include "obp.h"
#include <mm.h>

OBJECT_TYPE *ObTypeIndexTable[OB_MAX_TYPES];
UCHAR ObHeaderCookie;

static UCHAR obp_next_type = OBP_FIRST_TYPE;

void ob_initialize(void)
{
    ObHeaderCookie = arch_read_tsc() >> 4;
}

UCHAR obp_encode_type(const OBJECT_HEADER *header, UCHAR index)
{
    return index ^ ObHeaderCookie ^ (UCHAR)((ULONG_PTR)header >> 8);
}

OBJECT_TYPE *ObGetObjectType(void *object)
{
    const OBJECT_HEADER *header = obp_header(object);
    UCHAR index = obp_encode_type(header, header->TypeIndex);

    ASSERT(index >= OBP_FIRST_TYPE && index < obp_next_type);
    return ObTypeIndexTable[index];
}

OBJECT_TYPE *ob_create_type(const WCHAR *name, ACCESS_MASK valid_access,
                            void (*delete_procedure)(void *object))
{
    OBJECT_TYPE *type = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*type),
                                        OBP_TAG);

    if (type == NULL || obp_next_type == OB_MAX_TYPES)
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, obp_next_type, 0, 0, 0);

    InitializeListHead(&type->TypeList);
    RtlInitUnicodeString(&type->Name, name);
    type->TypeInfo.Length = sizeof(type->TypeInfo);
    type->TypeInfo.ValidAccessMask = valid_access;
    type->TypeInfo.GenericMapping = (GENERIC_MAPPING){
        valid_access, valid_access, valid_access, valid_access
    };
    type->TypeInfo.DeleteProcedure = delete_procedure;
    type->Index = obp_next_type++;
    ObTypeIndexTable[type->Index] = type;
    return type;
}
