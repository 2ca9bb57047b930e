/*
 * handles.c - handles: those of a process, and what each stands for.
 *
 * The list of all handles knows numbers and rights. Type and name are told of
 * a handle that is one's own: the shell duplicates each, asks, and closes it.
 */
#include "shell.h"

#include <nt/ntob.h>

#define INFORMATION_SIZE 0x800                  /* a name of 1,000 characters */

static __attribute__((aligned(8))) UCHAR information[INFORMATION_SIZE];

/* Each class begins with its text. */
static void show_text(HANDLE handle, OBJECT_INFORMATION_CLASS class, int width)
{
    const UNICODE_STRING *text = (const void *)information;
    NTSTATUS status = NtQueryObject(handle, class, information,
                                    sizeof information, NULL);

    if (NT_SUCCESS(status))
        print(" %-*.*ls", width, text->Length / 2, text->Buffer);
    else
        print(" %-*s", width, status_name(status));
}

/* It may have been closed since the list was made. */
static void show_handle(HANDLE process,
                        const SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX *entry)
{
    HANDLE own;
    NTSTATUS status = NtDuplicateObject(process, (HANDLE)entry->HandleValue,
                                        NtCurrentProcess(), &own, 0, 0,
                                        DUPLICATE_SAME_ACCESS);

    print("%#7llx %08X", (ULONGLONG)entry->HandleValue, entry->GrantedAccess);
    if (NT_SUCCESS(status)) {
        show_text(own, ObjectTypeInformation, 12);
        show_text(own, ObjectNameInformation, 0);
        NtClose(own);
    } else {
        print(" %s", status_name(status));
    }
    print("\n");
}

static void show_all(HANDLE process, ULONGLONG id,
                     const SYSTEM_HANDLE_INFORMATION_EX *list)
{
    ULONG_PTR at;

    print("%7s %-8s %-12s %s\n", "handle", "access", "type", "name");
    for (at = 0; at < list->NumberOfHandles; at++) {
        if (list->Handles[at].UniqueProcessId == id)
            show_handle(process, &list->Handles[at]);
    }
}

void command_handles(int count, const struct word *words)
{
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes };
    CLIENT_ID client = { .UniqueProcess =
                             NtCurrentTeb()->ClientId.UniqueProcess };
    ULONGLONG id = (ULONGLONG)client.UniqueProcess;
    SYSTEM_HANDLE_INFORMATION_EX *list;
    HANDLE process;
    NTSTATUS status;

    if (count > 1 && !parse_process_id("handles", &words[1], &id))
        return;
    list = query_list(SystemExtendedHandleInformation);
    if (!list)
        return;
    client.UniqueProcess = (HANDLE)id;
    status = NtOpenProcess(&process, PROCESS_DUP_HANDLE, &attributes, &client);
    if (NT_SUCCESS(status)) {
        show_all(process, id, list);
        NtClose(process);
    } else if (status == STATUS_INVALID_PARAMETER) {    /* as in Windows */
        print("handles: no process %llu\n", id);
    } else {
        print_failure("NtOpenProcess", status);
    }
    free_list(list);
}
