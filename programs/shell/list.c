/*
 * list.c - lists of NtQuerySystemInformation, which are as long as they are.
 *
 * STATUS_INFO_LENGTH_MISMATCH tells how long the list was; by the next call
 * it may have grown, so the buffer gets more than that.
 */
#include "shell.h"

#define SLACK 0x400

void *query_list(ULONG class)
{
    void *heap = NtCurrentPeb()->ProcessHeap, *list;
    ULONG needed = 0;
    NTSTATUS status;

    do {
        ULONG size = needed + SLACK;

        list = RtlAllocateHeap(heap, 0, size);
        if (!list) {
            print_failure("the list", STATUS_NO_MEMORY);
            return NULL;
        }
        status = NtQuerySystemInformation(class, list, size, &needed);
        if (NT_SUCCESS(status))
            return list;
        free_list(list);
    } while (status == STATUS_INFO_LENGTH_MISMATCH);
    print_failure("NtQuerySystemInformation", status);
    return NULL;
}

void free_list(void *list)
{
    RtlFreeHeap(NtCurrentPeb()->ProcessHeap, 0, list);
}
