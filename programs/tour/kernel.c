/*
 * kernel.c - the kernel's memory and names, as a local debugger sees them.
 *
 * Names come from the symbol file that lies beside the kernel, memory from
 * NtSystemDebugControl, which answers only on a machine booted with debug=on
 * (NT: bcdedit /debug on).
 */
#include "tour.h"

#define PRCB_CURRENT_THREAD 0x008               /* dt nt!_KPRCB */
#define SYMBOLS L"\\SystemRoot\\System32\\ntoskrnl.sym"

static BOOLEAN opened;
static char *symbols;                           /* the file, with a 0 behind */

static NTSTATUS open_file(const WCHAR *path, HANDLE *file)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name,
                                     .Attributes = OBJ_CASE_INSENSITIVE };
    IO_STATUS_BLOCK io;

    RtlInitUnicodeString(&name, path);
    return NtOpenFile(file, FILE_GENERIC_READ, &attributes, &io,
                      FILE_SHARE_READ, FILE_SYNCHRONOUS_IO_NONALERT);
}

static NTSTATUS read_whole(HANDLE file, char **text)
{
    FILE_STANDARD_INFORMATION standard;
    IO_STATUS_BLOCK io;
    ULONG size;
    NTSTATUS status;

    status = NtQueryInformationFile(file, &io, &standard, sizeof standard,
                                    FileStandardInformation);
    if (!NT_SUCCESS(status))
        return status;
    size = standard.EndOfFile.QuadPart;
    *text = RtlAllocateHeap(NtCurrentPeb()->ProcessHeap, HEAP_ZERO_MEMORY,
                            (SIZE_T)size + 1);
    if (!*text)
        return STATUS_NO_MEMORY;
    return NtReadFile(file, NULL, NULL, NULL, &io, *text, size, NULL, NULL);
}

static BOOLEAN load_symbols(void)
{
    HANDLE file;
    NTSTATUS status = open_file(SYMBOLS, &file);

    if (!NT_SUCCESS(status))
        return FALSE;
    status = read_whole(file, &symbols);
    NtClose(file);
    if (!NT_SUCCESS(status))
        symbols = NULL;
    return symbols != NULL;
}

static ULONGLONG hex(const char *text)
{
    ULONGLONG value = 0;

    for (; isxdigit((UCHAR)*text); text++)
        value = value * 16 +
                (isdigit(*text) ? *text - '0' : tolower(*text) - 'a' + 10);
    return value;
}

/* Lines are "address type name"; the next line's start, or NULL. */
static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end && end[1] ? end + 1 : NULL;
}

static const char *name_in(const char *line)
{
    const char *space = strchr(line, ' ');

    space = space ? strchr(space + 1, ' ') : NULL;
    return space ? space + 1 : "";
}

static size_t name_length(const char *name)
{
    const char *end = strchr(name, '\n');

    return end ? (size_t)(end - name) : strlen(name);
}

ULONGLONG kernel_address(const char *name)
{
    const char *line = symbols;

    for (; line; line = next_line(line)) {
        const char *found = name_in(line);

        if (name_length(found) == strlen(name) &&
            !strncmp(found, name, strlen(name)))
            return hex(line);
    }
    return 0;
}

/* The first name at exactly this address. */
BOOLEAN kernel_name(ULONGLONG address, char name[64])
{
    const char *line = symbols;

    for (; line; line = next_line(line))
        if (hex(line) == address) {
            sprintf_s(name, 64, "%.*s", (int)name_length(name_in(line)),
                      name_in(line));
            return TRUE;
        }
    return FALSE;
}

BOOLEAN kernel_has_shadow(void)
{
    UCHAR shadow = 0;

    return kernel_read(kernel_address("KiKvaShadow"), &shadow, sizeof shadow)
           && shadow;
}

BOOLEAN kernel_is_door(const char *name, const char *door)
{
    SIZE_T length = strlen(door);

    return !strncmp(name, door, length) &&
           !strcmp(name + length, kernel_has_shadow() ? "Shadow" : "");
}

const char *kernel_entry_stack(void)
{
    return kernel_has_shadow() ? "the processor's transition stack"
                               : "the thread's kernel stack";
}

static NTSTATUS debug_read(ULONGLONG address, void *buffer, ULONG size)
{
    SYSDBG_VIRTUAL request = { .Address = (void *)address, .Buffer = buffer,
                               .Request = size };

    return NtSystemDebugControl(SysDbgReadVirtual, &request, sizeof request,
                                NULL, 0, NULL);
}

BOOLEAN kernel_read(ULONGLONG address, void *buffer, ULONG size)
{
    return NT_SUCCESS(debug_read(address, buffer, size));
}

ULONGLONG kernel_thread(void)
{
    ULONGLONG prcb = 0, thread = 0;

    kernel_read(kernel_address("KiProcessorBlock"), &prcb, sizeof prcb);
    kernel_read(prcb + PRCB_CURRENT_THREAD, &thread, sizeof thread);
    return thread;
}

BOOLEAN kernel_msr(ULONG msr, ULONGLONG *value)
{
    SYSDBG_MSR request = { .Msr = msr };
    NTSTATUS status = NtSystemDebugControl(SysDbgReadMsr, &request,
                                           sizeof request, NULL, 0, NULL);

    *value = request.Data;
    return NT_SUCCESS(status);
}

BOOLEAN kernel_open(void)
{
    ULONGLONG table;
    NTSTATUS status;
    ULONG first;

    check(load_symbols(), "the kernel's symbol file can be read");
    table = kernel_address("KeServiceDescriptorTable");
    status = debug_read(table, &first, sizeof first);
    check(status == STATUS_SUCCESS || status == STATUS_DEBUGGER_INACTIVE,
          "the kernel's memory can be read, or debugging is off");
    opened = NT_SUCCESS(status);
    return opened;
}

BOOLEAN kernel_is_open(void)
{
    return opened;
}
