/*
 * ob/delete.c - the end of an object: now, or later by a thread of its own.
 *
 * A type's DeleteProcedure may wait, take page faults and attach to processes,
 * so it runs at PASSIVE_LEVEL.  The last dereference may come at a higher
 * level all the same: in a DPC, in a special kernel APC, under a fast mutex.
 * Such an object goes into a list, linked through its header in the place of
 * HandleCount, which is 0 then.  Whoever puts the first one there sets the
 * event; the thread takes the whole list and deletes one after the other.
 */
#include "obp.h"
#include <mm.h>

#define OBP_DELETE_PRIORITY 13

static OBJECT_HEADER *volatile ObpRemoveObjectList;
static KEVENT obp_remove_event = {
    .Header = { .Type = EventSynchronizationObject,
                .WaitListHead = { &obp_remove_event.Header.WaitListHead,
                                  &obp_remove_event.Header.WaitListHead } }
};

void obp_delete_object(OBJECT_HEADER *header)
{
    OBJECT_TYPE *type = ObGetObjectType(&header->Body);
    OBJECT_HEADER_NAME_INFO *name = obp_name_info(header);

    ASSERT(KeGetCurrentIrql() == PASSIVE_LEVEL);
    if (type->TypeInfo.DeleteProcedure != NULL)
        type->TypeInfo.DeleteProcedure(&header->Body);
    if (name != NULL)
        obp_free_name(&name->Name);
    if (header->ObjectCreateInfo != NULL)
        ExFreePoolWithTag(header->ObjectCreateInfo, OBP_TAG);
    __sync_sub_and_fetch(&type->TotalNumberOfObjects, 1);
    ExFreePoolWithTag((char *)header - obp_info_size(header->InfoMask),
                      OBP_TAG);
}

void obp_defer_deletion(OBJECT_HEADER *header)
{
    OBJECT_HEADER *first;

    do {
        first = ObpRemoveObjectList;
        header->NextToFree = first;
    } while (!__sync_bool_compare_and_swap(&ObpRemoveObjectList, first,
                                           header));
    if (first == NULL)
        KeSetEvent(&obp_remove_event, IO_NO_INCREMENT, FALSE);
}

static void obp_delete_all(OBJECT_HEADER *header)
{
    while (header != NULL) {
        OBJECT_HEADER *next = header->NextToFree;

        header->NextToFree = NULL;
        obp_delete_object(header);
        header = next;
    }
}

void ob_delete_deferred(void *argument)
{
    (void)argument;
    KeSetPriorityThread(KeGetCurrentThread(), OBP_DELETE_PRIORITY);
    for (;;) {
        KeWaitForSingleObject(&obp_remove_event, Executive, KernelMode, FALSE,
                              NULL);
        obp_delete_all(__sync_lock_test_and_set(&ObpRemoveObjectList, NULL));
    }
}
