/*
 * ob/directory.c - directories: objects that hold names.
 *
 * A name is in the directory that holds it and in the object's own header;
 * the entry between them is in one of 37 chains, chosen by a hash of the name
 * in upper case, and goes to the front of its chain when it is found.  An
 * entry holds a reference to its object, the object's header one to the
 * directory: neither goes while the name is there.
 *
 * A directory's lock guards its chains.  obp_name_lock guards which directory
 * a header names, so that it can be found and referenced while another thread
 * takes the name away; it may be taken with a directory locked.
 */
#include "obp.h"
#include <mm.h>
#include <nt/ntapi.h>

OBJECT_TYPE *ObpDirectoryObjectType SEALED;
OBJECT_DIRECTORY *ObpRootDirectoryObject SEALED;

static OBJECT_DIRECTORY *obp_types SEALED;
static KSPIN_LOCK obp_name_lock;

static ULONG obp_hash(const UNICODE_STRING *name)
{
    ULONG hash = 0;

    for (USHORT i = 0; i < name->Length / sizeof(WCHAR); i++)
        hash = hash * 31 + RtlUpcaseUnicodeChar(name->Buffer[i]);
    return hash;
}

static OBJECT_DIRECTORY_ENTRY **obp_find_link(OBJECT_DIRECTORY *directory,
                                              const UNICODE_STRING *name,
                                              BOOLEAN ignore_case)
{
    ULONG hash = obp_hash(name);
    OBJECT_DIRECTORY_ENTRY **link = &directory->HashBuckets[hash %
                                                            OBP_BUCKETS];

    for (; *link != NULL; link = &(*link)->ChainLink) {
        OBJECT_HEADER *header = obp_header((*link)->Object);

        if ((*link)->HashValue == hash &&
            RtlEqualUnicodeString(&obp_name_info(header)->Name, name,
                                  ignore_case))
            return link;
    }
    return NULL;
}

void *obp_find_entry(OBJECT_DIRECTORY *directory, const UNICODE_STRING *name,
                     BOOLEAN ignore_case)
{
    OBJECT_DIRECTORY_ENTRY **link = obp_find_link(directory, name,
                                                  ignore_case);
    OBJECT_DIRECTORY_ENTRY **first, *entry;

    if (link == NULL)
        return NULL;
    entry = *link;
    first = &directory->HashBuckets[entry->HashValue % OBP_BUCKETS];
    *link = entry->ChainLink;
    entry->ChainLink = *first;
    *first = entry;
    return entry->Object;
}

OBJECT_DIRECTORY_ENTRY *obp_allocate_entry(void)
{
    return ExAllocatePool2(POOL_FLAG_NON_PAGED,
                           sizeof(OBJECT_DIRECTORY_ENTRY), OBP_TAG);
}

void obp_free_entry(OBJECT_DIRECTORY_ENTRY *entry)
{
    if (entry != NULL)
        ExFreePoolWithTag(entry, OBP_TAG);
}

static void obp_set_directory(OBJECT_HEADER *header,
                              OBJECT_DIRECTORY *directory)
{
    KIRQL irql = KeAcquireSpinLock(&obp_name_lock);

    obp_name_info(header)->Directory = directory;
    KeReleaseSpinLock(&obp_name_lock, irql);
}

void obp_insert_entry(OBJECT_DIRECTORY *directory, void *object,
                      const UNICODE_STRING *name,
                      OBJECT_DIRECTORY_ENTRY *entry)
{
    OBJECT_HEADER *header = obp_header(object);
    OBJECT_DIRECTORY_ENTRY **first;

    entry->HashValue = obp_hash(name);
    entry->Object = object;
    first = &directory->HashBuckets[entry->HashValue % OBP_BUCKETS];
    entry->ChainLink = *first;
    *first = entry;
    ObfReferenceObject(object);
    ObfReferenceObject(directory);
    obp_name_info(header)->Name = *name;
    obp_set_directory(header, directory);
}

OBJECT_DIRECTORY *obp_reference_directory_of(OBJECT_HEADER *header)
{
    OBJECT_HEADER_NAME_INFO *name = obp_name_info(header);
    OBJECT_DIRECTORY *directory;
    KIRQL irql;

    if (name == NULL)
        return NULL;
    irql = KeAcquireSpinLock(&obp_name_lock);
    directory = name->Directory;
    if (directory != NULL)
        ObfReferenceObject(directory);
    KeReleaseSpinLock(&obp_name_lock, irql);
    return directory;
}

/* The directory is locked.  The entry, or NULL: somebody opened it again. */
static OBJECT_DIRECTORY_ENTRY *obp_unlink(OBJECT_DIRECTORY *directory,
                                          OBJECT_HEADER *header)
{
    OBJECT_DIRECTORY_ENTRY **link, *entry;

    if (header->HandleCount != 0 ||
        (header->Flags & OB_FLAG_PERMANENT_OBJECT) ||
        obp_name_info(header)->Directory != directory)
        return NULL;
    link = obp_find_link(directory, &obp_name_info(header)->Name, FALSE);
    entry = *link;
    *link = entry->ChainLink;
    obp_set_directory(header, NULL);
    return entry;
}

void obp_delete_name_check(OBJECT_HEADER *header)
{
    OBJECT_DIRECTORY *directory = obp_reference_directory_of(header);
    OBJECT_DIRECTORY_ENTRY *entry;
    KIRQL irql;

    if (directory == NULL)
        return;
    irql = KeAcquireSpinLock(&directory->Lock);
    entry = obp_unlink(directory, header);
    KeReleaseSpinLock(&directory->Lock, irql);
    ObfDereferenceObject(directory);
    if (entry == NULL)
        return;
    ObfDereferenceObject(directory);
    obp_free_entry(entry);
    ObfDereferenceObject(&header->Body);
}

/* ---- Boot ---- */

static void obp_name_for_ever(OBJECT_DIRECTORY *directory, void *object,
                              const WCHAR *text)
{
    OBJECT_DIRECTORY_ENTRY *entry = obp_allocate_entry();
    UNICODE_STRING from, name;

    RtlInitUnicodeString(&from, text);
    name = from;
    name.Buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, from.Length,
                                  OBP_NAME_TAG);
    if (entry == NULL || name.Buffer == NULL)
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
    memcpy(name.Buffer, from.Buffer, from.Length);
    obp_header(object)->Flags |= OB_FLAG_PERMANENT_OBJECT;
    obp_insert_entry(directory, object, &name, entry);
}

static OBJECT_DIRECTORY *obp_make_directory(const WCHAR *name)
{
    void *object;

    if (!NT_SUCCESS(obp_allocate_object(ObpDirectoryObjectType,
                                        sizeof(OBJECT_DIRECTORY),
                                        OBP_NAME_INFO, &object)))
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
    if (name != NULL)
        obp_name_for_ever(ObpRootDirectoryObject, object, name);
    return object;
}

void obp_name_type(OBJECT_TYPE *type)
{
    obp_name_for_ever(obp_types, type, type->Name.Buffer);
}

void obp_initialize_namespace(void)
{
    ObpDirectoryObjectType = ob_create_type(L"Directory",
                                            DIRECTORY_ALL_ACCESS, NULL);
    ObpDirectoryObjectType->TypeInfo.GenericMapping = (GENERIC_MAPPING){
        READ_CONTROL | DIRECTORY_QUERY | DIRECTORY_TRAVERSE,
        READ_CONTROL | DIRECTORY_CREATE_OBJECT |
            DIRECTORY_CREATE_SUBDIRECTORY,
        READ_CONTROL | DIRECTORY_QUERY | DIRECTORY_TRAVERSE,
        DIRECTORY_ALL_ACCESS
    };
    ObpRootDirectoryObject = obp_make_directory(NULL);
    obp_header(ObpRootDirectoryObject)->Flags |= OB_FLAG_PERMANENT_OBJECT;
    obp_types = obp_make_directory(L"ObjectTypes");
    for (ULONG i = OBP_FIRST_TYPE; ObTypeIndexTable[i] != NULL; i++)
        obp_name_type(ObTypeIndexTable[i]);
    obp_make_directory(L"BaseNamedObjects");
    obp_make_directory(L"KernelObjects");
}
