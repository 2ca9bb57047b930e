/*
 * ob/obp.h - what the object manager's files share.
 */
#pragma once

#include <ob.h>

struct _HANDLE_TABLE;
struct _HANDLE_TABLE_ENTRY;

#define OBP_TAG 0x206A624F              /* "Obj " */

/* Types by index; NT's first two slots are not types either. */
#define OBP_FIRST_TYPE 2
extern OBJECT_TYPE *ObTypeIndexTable[OB_MAX_TYPES];

static inline OBJECT_HEADER *obp_header(const void *object)
{
    return CONTAINING_RECORD(object, OBJECT_HEADER, Body);
}

/* type.c: TypeIndex as it is stored, or back again. */
UCHAR obp_encode_type(const OBJECT_HEADER *header, UCHAR index);

/* current.c: of the process whose address space is loaded. */
struct _HANDLE_TABLE *obp_current_table(void);

/* What a pseudo handle stands for, or NULL: not referenced. */
void *obp_pseudo_object(HANDLE handle);

/* handle.c: one handle less for an object whose table entry is gone. */
void obp_drop_handle(void *header);
