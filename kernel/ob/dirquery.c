/*
 * ob/dirquery.c - NtQueryDirectoryObject: the names in a directory.
 *
 * The answer is an array of pairs of strings, name and type, that a pair of
 * zeros ends, and behind it their texts, each with a 0 at its end.  It is made
 * in kernel memory while the directory is locked, so it is one moment's; what
 * does not fit is for the next call, which begins at the caller's context, a
 * number of entries.  Names that come, go or are looked up between two calls
 * move the others: then one may come twice, or not at all, as in NT.
 *
 * For 32-bit code strings have 32-bit pointers; all else is the same.
 */
#include "obp.h"
#include <mm.h>
#include <nt/ntapi.h>

/* Of one call; the longest name has room. */
#define OBP_LONGEST_ANSWER 0x20000

struct obp_listing {
    UCHAR *local;
    ULONG_PTR user;                     /* where it will lie */
    ULONG capacity;
    BOOLEAN narrow, single;
    ULONG first, count;                 /* entries left out, entries given */
    ULONG pair;                         /* bytes of one pair of strings */
    ULONG used;                         /* bytes, the last pair included */
    ULONG wanted;                       /* by the entry that has no room */
};

static ULONG obp_text(const UNICODE_STRING *string)
{
    return string->Length + sizeof(WCHAR);
}

/* The n-th entry of a locked directory, or NULL. */
static OBJECT_DIRECTORY_ENTRY *obp_next_entry(
    const OBJECT_DIRECTORY *directory, ULONG *bucket,
    OBJECT_DIRECTORY_ENTRY *entry)
{
    if (entry != NULL)
        entry = entry->ChainLink;
    while (entry == NULL && *bucket < OBP_BUCKETS)
        entry = directory->HashBuckets[(*bucket)++];
    return entry;
}

/* Room for one more; FALSE: there is none. */
static BOOLEAN obp_measure(struct obp_listing *list,
                           const OBJECT_DIRECTORY_ENTRY *entry)
{
    OBJECT_HEADER *header = obp_header(entry->Object);
    ULONG size = list->pair + obp_text(&obp_name_info(header)->Name) +
                 obp_text(&ObGetObjectType(entry->Object)->Name);

    list->wanted = list->used + size;
    if (list->wanted > list->capacity)
        return FALSE;
    list->used = list->wanted;
    list->count++;
    return !list->single;
}

static void obp_put_string(const struct obp_listing *list, UCHAR *to,
                           ULONG *text, const UNICODE_STRING *string)
{
    ULONG_PTR address = list->user + *text;
    ULONG pointer = (ULONG)address;
    USHORT lengths[] = { string->Length, (USHORT)obp_text(string) };

    memcpy(to, lengths, sizeof lengths);
    if (list->narrow)
        memcpy(to + sizeof lengths, &pointer, sizeof pointer);
    else
        memcpy(to + offsetof(UNICODE_STRING, Buffer), &address,
               sizeof address);
    memcpy(list->local + *text, string->Buffer, string->Length);
    *text += obp_text(string);
}

/* The entries that were measured, into memory that is 0. */
static void obp_put(const struct obp_listing *list,
                    const OBJECT_DIRECTORY *directory)
{
    ULONG bucket = 0, index = 0, text = (list->count + 1) * list->pair;
    OBJECT_DIRECTORY_ENTRY *entry = NULL;
    UCHAR *to = list->local;

    while (index < list->first + list->count &&
           (entry = obp_next_entry(directory, &bucket, entry)) != NULL) {
        if (index++ < list->first)
            continue;
        obp_put_string(list, to, &text,
                       &obp_name_info(obp_header(entry->Object))->Name);
        obp_put_string(list, to + list->pair / 2, &text,
                       &ObGetObjectType(entry->Object)->Name);
        to += list->pair;
    }
}

static NTSTATUS obp_list(struct obp_listing *list, OBJECT_DIRECTORY *directory)
{
    KIRQL irql = KeAcquireSpinLock(&directory->Lock);
    OBJECT_DIRECTORY_ENTRY *entry = NULL;
    ULONG bucket = 0, index = 0;

    list->used = list->pair;
    while ((entry = obp_next_entry(directory, &bucket, entry)) != NULL) {
        if (index++ >= list->first && !obp_measure(list, entry))
            break;
    }
    if (list->count != 0)
        obp_put(list, directory);
    KeReleaseSpinLock(&directory->Lock, irql);
    if (list->single && list->count == 0 && entry != NULL)
        return STATUS_BUFFER_TOO_SMALL;
    if (entry != NULL && !list->single)
        return STATUS_MORE_ENTRIES;
    return list->count != 0 ? STATUS_SUCCESS : STATUS_NO_MORE_ENTRIES;
}

static NTSTATUS obp_query_directory(HANDLE handle, struct obp_listing *list)
{
    void *directory;
    NTSTATUS status = ObReferenceObjectByHandle(
        handle, DIRECTORY_QUERY, ObpDirectoryObjectType, ExGetPreviousMode(),
        &directory);

    if (!NT_SUCCESS(status))
        return status;
    list->local = ExAllocatePool2(POOL_FLAG_NON_PAGED, list->capacity + 1,
                                  OBP_NAME_TAG);
    if (list->local == NULL)
        status = STATUS_INSUFFICIENT_RESOURCES;
    else
        status = obp_list(list, directory);
    ObfDereferenceObject(directory);
    if (list->count != 0 &&
        !NT_SUCCESS(mm_copy_to_user((void *)list->user, list->local,
                                    list->used)))
        status = STATUS_ACCESS_VIOLATION;
    if (list->local != NULL)
        ExFreePoolWithTag(list->local, OBP_NAME_TAG);
    return status;
}

static NTSTATUS obp_capture_context(ULONG *user, BOOLEAN restart,
                                    ULONG *return_length, ULONG *context)
{
    NTSTATUS status = mm_probe_for_write(user, sizeof *user, sizeof(ULONG));

    if (NT_SUCCESS(status) && return_length != NULL)
        status = mm_probe_for_write(return_length, sizeof *return_length,
                                    sizeof(ULONG));
    *context = 0;
    return NT_SUCCESS(status) && !restart
               ? mm_copy_from_user(context, user, sizeof *context) : status;
}

NTSTATUS ob_query_directory(HANDLE handle, void *buffer, ULONG length,
                            BOOLEAN single, BOOLEAN restart, ULONG *context,
                            ULONG *return_length, BOOLEAN narrow)
{
    struct obp_listing list = {
        .user = (ULONG_PTR)buffer, .single = single, .narrow = narrow,
        .capacity = length < OBP_LONGEST_ANSWER ? length : OBP_LONGEST_ANSWER,
        .pair = narrow ? 16 : sizeof(OBJECT_DIRECTORY_INFORMATION),
    };
    NTSTATUS status = mm_probe_for_write(buffer, length, sizeof(ULONG));
    ULONG answer, next;

    if (NT_SUCCESS(status))
        status = obp_capture_context(context, restart, return_length,
                                     &list.first);
    if (NT_SUCCESS(status))
        status = obp_query_directory(handle, &list);
    if (!NT_SUCCESS(status) && status != STATUS_BUFFER_TOO_SMALL)
        return status;
    answer = list.count != 0 ? list.used : list.wanted;
    next = list.first + list.count;
    if (list.count != 0 &&
        !NT_SUCCESS(mm_copy_to_user(context, &next, sizeof next)))
        return STATUS_ACCESS_VIOLATION;
    if (return_length != NULL &&
        !NT_SUCCESS(mm_copy_to_user(return_length, &answer, sizeof answer)))
        return STATUS_ACCESS_VIOLATION;
    return status;
}

/*
 * STATUS_NO_MORE_ENTRIES; STATUS_BUFFER_TOO_SMALL: for the single entry, whose
 * length is in ReturnLength; STATUS_MORE_ENTRIES: there are more, perhaps none
 * had room.
 */
NTSTATUS NtQueryDirectoryObject(HANDLE DirectoryHandle, void *Buffer,
                                ULONG Length, BOOLEAN ReturnSingleEntry,
                                BOOLEAN RestartScan, ULONG *Context,
                                ULONG *ReturnLength)
{
    return ob_query_directory(DirectoryHandle, Buffer, Length,
                              ReturnSingleEntry, RestartScan, Context,
                              ReturnLength, FALSE);
}
