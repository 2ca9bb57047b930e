/*
 * ex/handlelist.c - all handle tables, and SystemHandleInformation.
 *
 * A process's table stands in HandleTableListHead from the moment it has an
 * owner with an id until it is freed; the list's lock keeps it alive while
 * somebody looks.  A picture of all handles is made in kernel memory, in the
 * form of SystemExtendedHandleInformation, and copied out afterwards: user
 * memory may take page faults, and handles come and go meanwhile anyway.
 *
 * Ring 3 gets the addresses of objects only from a machine that was booted
 * with debug=on.  NT: so do callers that are not restricted; there are no
 * tokens here that could say so.
 */
#include "exp.h"

#define EXP_LIST_TAG 0x6C487845         /* "ExHl" */

static EX_PUSH_LOCK HandleTableListLock;
static LIST_ENTRY HandleTableListHead = {
    &HandleTableListHead, &HandleTableListHead
};

void ex_insert_handle_table(HANDLE_TABLE *table, HANDLE id)
{
    table->UniqueProcessId = (ULONG)(ULONG_PTR)id;
    ke_acquire_exclusive(&HandleTableListLock);
    InsertTailList(&HandleTableListHead, &table->HandleTableList);
    ke_release_exclusive(&HandleTableListLock);
}

void ExRemoveHandleTable(HANDLE_TABLE *table)
{
    ke_acquire_exclusive(&HandleTableListLock);
    RemoveEntryList(&table->HandleTableList);
    InitializeListHead(&table->HandleTableList);
    ke_release_exclusive(&HandleTableListLock);
}

/* The next table in a locked list; NULL begins and ends. */
static HANDLE_TABLE *exp_next_table(const HANDLE_TABLE *table)
{
    LIST_ENTRY *next = table == NULL ? HandleTableListHead.Flink
                                     : table->HandleTableList.Flink;

    return next == &HandleTableListHead
               ? NULL : CONTAINING_RECORD(next, HANDLE_TABLE, HandleTableList);
}

static ULONG_PTR exp_count_handles(void)
{
    HANDLE_TABLE *table = NULL;
    ULONG_PTR count = 0;

    ke_acquire_shared(&HandleTableListLock);
    while ((table = exp_next_table(table)) != NULL)
        count += table->FreeLists[0].HandleCount;
    ke_release_shared(&HandleTableListLock);
    return count;
}

/* Of a locked entry. */
static void exp_describe(const HANDLE_TABLE *table, ULONG_PTR handle,
                         const HANDLE_TABLE_ENTRY *entry,
                         SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX *to)
{
    OBJECT_HEADER *header = ex_entry_object(entry);

    *to = (SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX){
        .Object = &header->Body,
        .UniqueProcessId = table->UniqueProcessId,
        .HandleValue = handle,
        .GrantedAccess = ex_entry_access(entry),
        .ObjectTypeIndex = ObGetObjectType(&header->Body)->Index,
        .HandleAttributes = ex_entry_attributes(entry),
    };
}

/* FALSE: there are more than capacity. */
static BOOLEAN exp_list_table(HANDLE_TABLE *table, ULONG_PTR capacity,
                              SYSTEM_HANDLE_INFORMATION_EX *to)
{
    HANDLE_TABLE_ENTRY *entry;
    ULONG_PTR handle = 0;
    BOOLEAN fits = TRUE;
    KIRQL irql;

    while (fits && (entry = ex_next_handle(table, &handle, &irql)) != NULL) {
        fits = to->NumberOfHandles < capacity;
        if (fits)
            exp_describe(table, handle, entry,
                         &to->Handles[to->NumberOfHandles++]);
        ExUnlockHandleTableEntry(entry, irql);
        handle += EX_HANDLE_STEP;
    }
    return fits;
}

static BOOLEAN exp_list_all(SYSTEM_HANDLE_INFORMATION_EX *to,
                            ULONG_PTR capacity)
{
    HANDLE_TABLE *table = NULL;
    BOOLEAN fits = TRUE;

    to->NumberOfHandles = 0;
    ke_acquire_shared(&HandleTableListLock);
    while (fits && (table = exp_next_table(table)) != NULL)
        fits = exp_list_table(table, capacity, to);
    ke_release_shared(&HandleTableListLock);
    return fits;
}

void ex_free_handle_picture(SYSTEM_HANDLE_INFORMATION_EX *picture)
{
    ExFreePoolWithTag(picture, EXP_LIST_TAG);
}

/* Handles that come while they are listed have some room, too. */
NTSTATUS ex_picture_handles(SYSTEM_HANDLE_INFORMATION_EX **picture)
{
    for (;;) {
        ULONG_PTR count = exp_count_handles(), capacity = count + count / 4 + 8;

        *picture = ExAllocatePool2(
            POOL_FLAG_NON_PAGED,
            offsetof(SYSTEM_HANDLE_INFORMATION_EX, Handles) +
                capacity * sizeof (*picture)->Handles[0], EXP_LIST_TAG);
        if (*picture == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        if (exp_list_all(*picture, capacity))
            return STATUS_SUCCESS;
        ex_free_handle_picture(*picture);
    }
}

static void exp_hide_objects(SYSTEM_HANDLE_INFORMATION_EX *picture)
{
    for (ULONG_PTR i = 0; i < picture->NumberOfHandles; i++)
        picture->Handles[i].Object = NULL;
}

/* The older form, made where the picture is: its entries are shorter. */
static void exp_shorten(SYSTEM_HANDLE_INFORMATION_EX *picture)
{
    SYSTEM_HANDLE_INFORMATION *to = (void *)picture;
    ULONG count = (ULONG)picture->NumberOfHandles;

    to->NumberOfHandles = count;
    for (ULONG i = 0; i < count; i++) {
        SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX from = picture->Handles[i];

        to->Handles[i] = (SYSTEM_HANDLE_TABLE_ENTRY_INFO){
            .UniqueProcessId = (USHORT)from.UniqueProcessId,
            .ObjectTypeIndex = (UCHAR)from.ObjectTypeIndex,
            .HandleAttributes = (UCHAR)from.HandleAttributes,
            .HandleValue = (USHORT)from.HandleValue,
            .Object = from.Object,
            .GrantedAccess = from.GrantedAccess,
        };
    }
}

NTSTATUS exp_query_handles(ULONG number, void *user, ULONG length,
                           ULONG *returned)
{
    BOOLEAN extended = number == SystemExtendedHandleInformation;
    const SIZE_T fixed = extended
                             ? offsetof(SYSTEM_HANDLE_INFORMATION_EX, Handles)
                             : offsetof(SYSTEM_HANDLE_INFORMATION, Handles);
    const SIZE_T each = extended ? sizeof(SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX)
                                 : sizeof(SYSTEM_HANDLE_TABLE_ENTRY_INFO);
    SYSTEM_HANDLE_INFORMATION_EX *picture;
    NTSTATUS status;

    *returned = (ULONG)(fixed + exp_count_handles() * each);
    if (length < *returned)
        return STATUS_INFO_LENGTH_MISMATCH;
    status = ex_picture_handles(&picture);
    if (!NT_SUCCESS(status))
        return status;
    *returned = (ULONG)(fixed + picture->NumberOfHandles * each);
    if (!ex_is_debugged())
        exp_hide_objects(picture);
    if (!extended)
        exp_shorten(picture);
    if (length < *returned)
        status = STATUS_INFO_LENGTH_MISMATCH;
    else
        status = mm_copy_to_user(user, picture, *returned);
    ex_free_handle_picture(picture);
    return status;
}
