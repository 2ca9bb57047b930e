/*
 * ldrload.c - names of DLLs, mapping them, and the list of what is loaded.
 *
 * All DLLs lie in \SystemRoot\System32\, so the last part of a path is the
 * module's name; a path to anywhere else finds nothing. Full names are told
 * in DOS form, as Windows does.
 */
#include "ldrp.h"

#define NAME_ROOM 64                            /* characters, with the zero */

static const WCHAR nt_folder[] = L"\\SystemRoot\\System32\\";
static const WCHAR dos_tail[] = L"\\System32\\";

static void link_tail(LIST_ENTRY *head, LIST_ENTRY *entry)
{
    entry->Flink = head;
    entry->Blink = head->Blink;
    head->Blink->Flink = entry;
    head->Blink = entry;
}

static void unlink(LIST_ENTRY *entry)
{
    if (!entry->Flink)                          /* never was in that list */
        return;
    entry->Blink->Flink = entry->Flink;
    entry->Flink->Blink = entry->Blink;
}

/* Characters behind the last backslash of a path. */
static UNICODE_STRING last_part(const UNICODE_STRING *path)
{
    USHORT count = path->Length / sizeof(WCHAR), start = count;
    UNICODE_STRING part;

    while (start && path->Buffer[start - 1] != '\\')
        start--;
    part.Buffer = path->Buffer + start;
    part.Length = part.MaximumLength = (count - start) * sizeof(WCHAR);
    return part;
}

/*
 * A module with the names and addresses that others look for, at the end of
 * the load and memory order lists. NULL without memory. full_name is copied.
 */
struct module *ldr_add_module(const struct image *image,
                              const UNICODE_STRING *full_name)
{
    const IMAGE_NT_HEADERS *headers = image->headers;
    struct module *module = ldr_allocate(sizeof *module + full_name->Length +
                                         sizeof(WCHAR));
    LDR_DATA_TABLE_ENTRY *entry = &module->entry;

    if (!module)
        return NULL;
    module->image = *image;
    entry->DllBase = image->base;
    entry->SizeOfImage = image->size;
    entry->TimeDateStamp = headers->FileHeader.TimeDateStamp;
    if (headers->OptionalHeader.AddressOfEntryPoint &&
        headers->OptionalHeader.AddressOfEntryPoint < image->size)
        entry->EntryPoint = image->base +
                            headers->OptionalHeader.AddressOfEntryPoint;
    if (headers->FileHeader.Characteristics & IMAGE_FILE_DLL)
        entry->Flags = LDRP_IMAGE_DLL;
    entry->FullDllName.Buffer = (WCHAR *)(module + 1);
    entry->FullDllName.Length = full_name->Length;
    entry->FullDllName.MaximumLength = full_name->Length + sizeof(WCHAR);
    memcpy(module + 1, full_name->Buffer, full_name->Length);
    entry->BaseDllName = last_part(&entry->FullDllName);
    entry->BaseDllName.MaximumLength += sizeof(WCHAR);
    ldr_note_load(entry, headers);
    link_tail(&ldr_data.InLoadOrderModuleList, &entry->InLoadOrderLinks);
    link_tail(&ldr_data.InMemoryOrderModuleList, &entry->InMemoryOrderLinks);
    functions_add_image(&module->functions, image);
    return module;
}

/* Unlink, unmap and forget a module that nobody needs. */
void ldr_remove_module(struct module *module)
{
    ldr_remove_tls(module);
    functions_remove_image(&module->functions);
    unlink(&module->entry.InLoadOrderLinks);
    unlink(&module->entry.InMemoryOrderLinks);
    unlink(&module->entry.InInitializationOrderLinks);
    NtUnmapViewOfSection(NtCurrentProcess(), module->image.base);
    ldr_free(module->needs);
    ldr_free(module);
}

struct module *ldr_find_address(const void *address)
{
    LIST_ENTRY *head = &ldr_data.InLoadOrderModuleList, *at;

    for (at = head->Flink; at != head; at = at->Flink) {
        struct module *module = LDR_MODULE(at);

        if ((ULONG_PTR)address - (ULONG_PTR)module->image.base <
            module->image.size)
            return module;
    }
    return NULL;
}

struct module *ldr_find_base(const void *base)
{
    struct module *module = ldr_find_address(base);

    return module && module->image.base == base ? module : NULL;
}

/* TRUE if folder (with its last backslash) is where DLLs are. */
static BOOLEAN is_system_folder(UNICODE_STRING folder)
{
    const KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;
    UNICODE_STRING part;

    RtlInitUnicodeString(&part, nt_folder);
    if (RtlEqualUnicodeString(&folder, &part, TRUE))
        return TRUE;
    RtlInitUnicodeString(&part, shared->NtSystemRoot);
    if (!RtlPrefixUnicodeString(&part, &folder, TRUE))
        return FALSE;
    folder.Buffer += part.Length / sizeof(WCHAR);
    folder.Length -= part.Length;
    RtlInitUnicodeString(&part, dos_tail);
    return RtlEqualUnicodeString(&folder, &part, TRUE);
}

/*
 * The module's name from a name or path: ".dll" is added where there is no
 * dot, a dot at the end means "no extension" and goes.
 */
NTSTATUS ldr_base_name(const UNICODE_STRING *name, UNICODE_STRING *base,
                       WCHAR buffer[64])
{
    UNICODE_STRING part = last_part(name), folder = *name;
    USHORT count = part.Length / sizeof(WCHAR), at;
    BOOLEAN dot = FALSE;

    folder.Length = name->Length - part.Length;
    if (!count || count > NAME_ROOM - 5)
        return count ? STATUS_DLL_NOT_FOUND : STATUS_INVALID_PARAMETER;
    if (folder.Length && !is_system_folder(folder))
        return STATUS_DLL_NOT_FOUND;
    for (at = 0; at < count; at++) {
        buffer[at] = part.Buffer[at];
        dot |= buffer[at] == '.';
    }
    buffer[count] = 0;
    if (!dot)
        wcscat(buffer, L".dll");
    else if (buffer[count - 1] == '.')
        buffer[count - 1] = 0;
    RtlInitUnicodeString(base, buffer);
    return STATUS_SUCCESS;
}

NTSTATUS ldr_find_name(const UNICODE_STRING *name, struct module **module)
{
    LIST_ENTRY *head = &ldr_data.InLoadOrderModuleList, *at;
    WCHAR buffer[NAME_ROOM];
    UNICODE_STRING base;
    NTSTATUS status = ldr_base_name(name, &base, buffer);

    if (!NT_SUCCESS(status))
        return status;
    for (at = head->Flink; at != head; at = at->Flink) {
        *module = LDR_MODULE(at);
        if (RtlEqualUnicodeString(&(*module)->entry.BaseDllName, &base, TRUE))
            return STATUS_SUCCESS;
    }
    return STATUS_DLL_NOT_FOUND;
}

static NTSTATUS open_section(UNICODE_STRING *path, HANDLE *section)
{
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = path,
                                     .Attributes = OBJ_CASE_INSENSITIVE };
    IO_STATUS_BLOCK io;
    HANDLE file;
    NTSTATUS status;

    status = NtOpenFile(&file, SYNCHRONIZE | FILE_EXECUTE | FILE_READ_DATA,
                        &attributes, &io, FILE_SHARE_READ | FILE_SHARE_DELETE,
                        FILE_SYNCHRONOUS_IO_NONALERT |
                            FILE_NON_DIRECTORY_FILE);
    if (!NT_SUCCESS(status))
        return STATUS_DLL_NOT_FOUND;
    status = NtCreateSection(section, SECTION_QUERY | SECTION_MAP_READ |
                                          SECTION_MAP_WRITE |
                                          SECTION_MAP_EXECUTE,
                             NULL, NULL, PAGE_EXECUTE, SEC_IMAGE, file);
    NtClose(file);
    return status;
}

/* Map the file; the kernel relocates it when its base is taken. */
static NTSTATUS map(const UNICODE_STRING *base_name, struct image *image)
{
    WCHAR buffer[NAME_ROOM + ARRAY_SIZE(nt_folder)];
    UNICODE_STRING path = { .Buffer = buffer,
                            .MaximumLength = sizeof buffer };
    void *base = NULL;
    SIZE_T size = 0;
    HANDLE section;
    NTSTATUS status;

    RtlAppendUnicodeToString(&path, nt_folder);
    RtlAppendUnicodeStringToString(&path, base_name);
    status = open_section(&path, &section);
    if (!NT_SUCCESS(status))
        return status;
    status = NtMapViewOfSection(section, NtCurrentProcess(), &base, 0, 0, NULL,
                                &size, ViewShare, 0, PAGE_READWRITE);
    NtClose(section);
    if (!NT_SUCCESS(status))
        return status;
    status = image_open(base, image);
    if (NT_SUCCESS(status))
        status = image_relocate(image);
    if (!NT_SUCCESS(status))
        NtUnmapViewOfSection(NtCurrentProcess(), base);
    return status;
}

static NTSTATUS map_module(const UNICODE_STRING *base_name,
                           struct module **module)
{
    const KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;
    WCHAR buffer[ARRAY_SIZE(shared->NtSystemRoot) + NAME_ROOM +
                 ARRAY_SIZE(dos_tail)];
    UNICODE_STRING full = { .Buffer = buffer,
                            .MaximumLength = sizeof buffer };
    struct image image;
    NTSTATUS status = map(base_name, &image);

    if (!NT_SUCCESS(status))
        return status;
    RtlAppendUnicodeToString(&full, shared->NtSystemRoot);
    RtlAppendUnicodeToString(&full, dos_tail);
    RtlAppendUnicodeStringToString(&full, base_name);
    *module = ldr_add_module(&image, &full);
    if (!*module) {
        NtUnmapViewOfSection(NtCurrentProcess(), image.base);
        return STATUS_NO_MEMORY;
    }
    return STATUS_SUCCESS;
}

/*
 * Find a module, or map it and bind it (not unresolved); entry points wait
 * for ldr_run_new. A module that cannot be bound stays in the list for
 * ldr_sweep, which its caller owes.
 */
NTSTATUS ldr_load(const UNICODE_STRING *name, BOOLEAN unresolved,
                  struct module **module)
{
    WCHAR buffer[NAME_ROOM];
    UNICODE_STRING base;
    NTSTATUS status = ldr_base_name(name, &base, buffer);

    if (!NT_SUCCESS(status))
        return status;
    if (NT_SUCCESS(ldr_find_name(&base, module)))
        return STATUS_SUCCESS;
    status = map_module(&base, module);
    if (!NT_SUCCESS(status))
        return status;
    if (unresolved || !((*module)->entry.Flags & LDRP_IMAGE_DLL)) {
        (*module)->unresolved = TRUE;           /* NT: nor are programs bound */
        (*module)->entry.EntryPoint = NULL;
        return STATUS_SUCCESS;
    }
    status = ldr_bind_imports(*module);
    if (NT_SUCCESS(status))
        status = ldr_add_tls(*module);
    return status;
}

static NTSTATUS add_need(struct module *user, struct module *needed)
{
    ULONG at;

    for (at = 0; at < user->need_count; at++)
        if (user->needs[at] == needed)
            return STATUS_SUCCESS;
    if (user->need_count == user->need_room) {
        ULONG room = user->need_room ? user->need_room * 2 : 4;
        struct module **needs = ldr_allocate(room * sizeof *needs);

        if (!needs)
            return STATUS_NO_MEMORY;
        memcpy(needs, user->needs, user->need_count * sizeof *needs);
        ldr_free(user->needs);
        user->needs = needs;
        user->need_room = room;
    }
    user->needs[user->need_count++] = needed;
    return STATUS_SUCCESS;
}

/* Load what user's tables name; from then on user needs it. */
NTSTATUS ldr_load_for(struct module *user, const char *name, SIZE_T length,
                      struct module **module)
{
    WCHAR buffer[NAME_ROOM];
    UNICODE_STRING wide = { .Buffer = buffer };
    NTSTATUS status = STATUS_DLL_NOT_FOUND;
    SIZE_T at;

    if (length < NAME_ROOM) {
        for (at = 0; at < length; at++)
            buffer[at] = (UCHAR)name[at];
        wide.Length = wide.MaximumLength = length * sizeof(WCHAR);
        status = ldr_load(&wide, FALSE, module);
    }
    if (NT_SUCCESS(status))
        return *module == user ? STATUS_SUCCESS : add_need(user, *module);
    if (!*ldr_reason)
        _snprintf(ldr_reason, sizeof ldr_reason - 1, "%wZ needs %.*s: %s",
                  &user->entry.BaseDllName, (int)length, name,
                  status == STATUS_DLL_NOT_FOUND ? "not found"
                                                 : "cannot be loaded");
    return status;
}
