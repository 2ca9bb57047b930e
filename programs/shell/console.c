/*
 * console.c - the shell's end of the console: keys in, the edited line out.
 */
#include "shell.h"
#include "edit.h"

#define PROMPT "ntwalk> "
#define CLEAR_SCREEN "\033[2J\033[H"

static HANDLE keys, output;
static struct edit_history history;
static struct editor editor;

/* What one key makes the editor write goes out at once. */
static char pending[512];
static ULONG pending_length;

static void flush(void)
{
    IO_STATUS_BLOCK io;

    if (pending_length)
        NtWriteFile(output, NULL, NULL, NULL, &io, pending, pending_length,
                    NULL, NULL);
    pending_length = 0;
}

static void write(const char *text, ULONG length)
{
    while (length--) {
        if (pending_length == sizeof pending)
            flush();
        pending[pending_length++] = *text++;
    }
}

void print_text(const char *text)
{
    write(text, (ULONG)strlen(text));
    flush();
}

NTSTATUS console_open(void)
{
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes };
    IO_STATUS_BLOCK io;
    UNICODE_STRING name;

    RtlInitUnicodeString(&name, L"\\Device\\ConDrv\\keys");
    attributes.ObjectName = &name;
    output = NtCurrentPeb()->ProcessParameters->StandardOutput;
    editor.write = write;
    editor.history = &history;
    edit_start(&editor);
    return NtOpenFile(&keys, FILE_GENERIC_READ, &attributes, &io,
                      FILE_SHARE_READ, FILE_SYNCHRONOUS_IO_NONALERT);
}

/* FALSE: there will be no more. */
static BOOLEAN next_key(char *key)
{
    static char typed[64];
    static ULONG at, length;
    IO_STATUS_BLOCK io;

    if (at == length) {
        flush();
        if (!NT_SUCCESS(NtReadFile(keys, NULL, NULL, NULL, &io, typed,
                                   sizeof typed, NULL, NULL)))
            return FALSE;
        at = 0;
        length = (ULONG)io.Information;
    }
    *key = typed[at++];
    return TRUE;
}

static void write_prompt(void)
{
    write(PROMPT, sizeof PROMPT - 1);
}

static enum edit_result next_result(void)
{
    enum edit_result result;
    char key;

    do {
        if (!next_key(&key))
            return EDIT_END;
        result = edit_key(&editor, key);
    } while (result == EDIT_MORE);
    return result;
}

char *read_line(void)
{
    enum edit_result result;

    edit_new(&editor);
    write_prompt();
    while ((result = next_result()) != EDIT_LINE && result != EDIT_END) {
        if (result == EDIT_CLEAR)
            write(CLEAR_SCREEN, sizeof CLEAR_SCREEN - 1);
        else
            edit_new(&editor);
        write_prompt();
        edit_show(&editor);
    }
    if (result == EDIT_END)
        write("\n", 1);
    flush();
    return result == EDIT_LINE ? editor.text : NULL;
}
