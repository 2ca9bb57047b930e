/*
 * ob/type.c - object types.
 *
 * A type says what all its objects have in common: which rights a handle can
 * carry and what to do when the last reference goes.  Objects name their type
 * by an index, one byte of their header.  NT stores that byte XORed with a
 * boot-time cookie and with a byte of the header's own address, so that an
 * overwritten header rarely passes for another type; so do we.
 *
 * Types are objects themselves, of the type "Type", and \ObjectTypes lists
 * them.
 */
#include "obp.h"
#include <mm.h>
#include <nt/ntapi.h>

OBJECT_TYPE *ObTypeIndexTable[OB_MAX_TYPES] SEALED;
UCHAR ObHeaderCookie SEALED;

static UCHAR obp_next_type SEALED;

/* Of a type without a header to wait for. */
#define OBP_NOT_WAITABLE ((void *)(LONG_PTR)-1)

void ob_initialize(void)
{
    ObHeaderCookie = arch_read_tsc() >> 4;
    obp_next_type = OBP_FIRST_TYPE;
    ob_create_type(L"Type", STANDARD_RIGHTS_REQUIRED | 0x1, NULL);
    obp_initialize_namespace();
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

/* The first type is its own: it has no type while it is allocated. */
static OBJECT_TYPE *obp_allocate_type(void)
{
    static OBJECT_TYPE first = { .Index = OBP_FIRST_TYPE };
    OBJECT_TYPE *type = ObTypeIndexTable[OBP_FIRST_TYPE];
    void *object;

    if (obp_next_type == OB_MAX_TYPES ||
        !NT_SUCCESS(obp_allocate_object(type ? type : &first, sizeof *type,
                                        OBP_NAME_INFO, &object)))
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, obp_next_type, 0, 0, 0);
    return object;
}

OBJECT_TYPE *ob_create_type(const WCHAR *name, ACCESS_MASK valid_access,
                            void (*delete_procedure)(void *object))
{
    OBJECT_TYPE *type = obp_allocate_type();

    InitializeListHead(&type->TypeList);
    RtlInitUnicodeString(&type->Name, name);
    type->DefaultObject = OBP_NOT_WAITABLE;
    type->TypeInfo.Length = sizeof(type->TypeInfo);
    type->TypeInfo.ValidAccessMask = valid_access;
    type->TypeInfo.GenericMapping = (GENERIC_MAPPING){
        valid_access, valid_access, valid_access, valid_access
    };
    type->TypeInfo.DeleteProcedure = delete_procedure;
    type->Index = obp_next_type++;
    ObTypeIndexTable[type->Index] = type;
    if (ObpRootDirectoryObject != NULL)
        obp_name_type(type);
    return type;
}

void ob_set_waitable(OBJECT_TYPE *type, SIZE_T offset)
{
    type->DefaultObject = (void *)offset;
    type->TypeInfo.ValidAccessMask |= SYNCHRONIZE;
}

DISPATCHER_HEADER *ob_dispatcher_header(void *object)
{
    OBJECT_TYPE *type = ObGetObjectType(object);

    if (type->DefaultObject == OBP_NOT_WAITABLE)
        return NULL;
    return (DISPATCHER_HEADER *)((char *)object +
                                 (ULONG_PTR)type->DefaultObject);
}
