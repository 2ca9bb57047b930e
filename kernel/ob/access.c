/*
 * ob/access.c - from the rights a caller asks for to those a handle carries.
 *
 * A caller may ask for generic rights, which each type translates into its
 * own, and for MAXIMUM_ALLOWED: whatever it can get.  NT compares the result
 * with the object's security descriptor; there are no users here, so every
 * right of the type is granted.  The check that matters comes later: a service
 * needs its right in the handle (handle.c).
 */
#include "obp.h"
#include <nt/ntapi.h>

#define OBP_GENERIC (GENERIC_ALL | GENERIC_READ | GENERIC_WRITE | \
                     GENERIC_EXECUTE)

static ACCESS_MASK obp_map_generic(const GENERIC_MAPPING *mapping,
                                   ACCESS_MASK access)
{
    ACCESS_MASK mapped = access & ~OBP_GENERIC;

    if (access & GENERIC_READ)
        mapped |= mapping->GenericRead;
    if (access & GENERIC_WRITE)
        mapped |= mapping->GenericWrite;
    if (access & GENERIC_EXECUTE)
        mapped |= mapping->GenericExecute;
    if (access & GENERIC_ALL)
        mapped |= mapping->GenericAll;
    return mapped;
}

NTSTATUS ob_map_access(const OBJECT_TYPE *type, ACCESS_MASK access,
                       ACCESS_MASK allowed, ACCESS_MASK *granted)
{
    ACCESS_MASK mapped = obp_map_generic(&type->TypeInfo.GenericMapping,
                                         access);

    if (mapped & ACCESS_SYSTEM_SECURITY)
        return STATUS_PRIVILEGE_NOT_HELD;
    if (mapped & MAXIMUM_ALLOWED)
        mapped = (mapped & ~MAXIMUM_ALLOWED) | allowed;
    if (mapped & ~type->TypeInfo.ValidAccessMask)
        return STATUS_ACCESS_DENIED;
    *granted = mapped;
    return STATUS_SUCCESS;
}
