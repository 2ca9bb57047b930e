/*
 * names.c - names: what a directory of the object manager holds.
 */
#include "shell.h"
#include "arguments.h"

#include <nt/ntob.h>

#define BUFFER_SIZE 0x1000

static NTSTATUS open_directory(const char *path, HANDLE *directory)
{
    struct word word = { .text = "name:", .string = (char *)path };
    struct argument attributes;

    begin_arguments();
    if (parse_argument(&word, &attributes))
        return STATUS_NO_MEMORY;
    return NtOpenDirectoryObject(directory, DIRECTORY_QUERY,
                                 (OBJECT_ATTRIBUTES *)attributes.value);
}

/* A pair without a name is behind the last. */
static void show_entries(const OBJECT_DIRECTORY_INFORMATION *entry)
{
    for (; entry->Name.Buffer; entry++)
        print("%-14.*ls %.*ls\n", entry->TypeName.Length / 2,
              entry->TypeName.Buffer, entry->Name.Length / 2,
              entry->Name.Buffer);
}

/* As much as the buffer holds at a time; the context knows how far it got. */
static NTSTATUS show_directory(HANDLE directory)
{
    static __attribute__((aligned(8))) UCHAR buffer[BUFFER_SIZE];
    BOOLEAN first = TRUE;
    ULONG context = 0;
    NTSTATUS status;

    while (NT_SUCCESS(status = NtQueryDirectoryObject(
                          directory, buffer, sizeof buffer, FALSE, first,
                          &context, NULL))) {
        show_entries((const void *)buffer);
        first = FALSE;
    }
    return status == STATUS_NO_MORE_ENTRIES ? STATUS_SUCCESS : status;
}

void command_names(int count, const struct word *words)
{
    const char *path = count > 1 ? word_text(&words[1]) : "\\";
    HANDLE directory;
    NTSTATUS status = open_directory(path, &directory);

    if (NT_SUCCESS(status)) {
        status = show_directory(directory);
        NtClose(directory);
    }
    if (!NT_SUCCESS(status))
        print_failure(path, status);
}
