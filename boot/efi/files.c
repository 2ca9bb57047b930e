/*
 * boot/efi/files.c - the kernel and its modules, and whether they are whole.
 *
 * A line of \ntwalk\files.txt is a file's CRC-32, its size and its name in
 * \ntwalk: "1F2E3D4C 12345 System32/tour.exe".  The kernel comes first; the
 * others are modules in this order.  A stick that was pulled out too early
 * shows here, and not as a fault of the kernel's.
 */
#include "efiload.h"

#define PATH_LENGTH 128

static struct efi_file read_checked(struct text line, struct text name)
{
    struct text crc = next_word(&line), size = next_word(&line);
    ULONGLONG wanted_crc, wanted_size;
    struct efi_file file;
    CHAR16 path[PATH_LENGTH] = FOLDER;
    UINT32 found = 0;

    widen(path + StrLen(path), PATH_LENGTH - StrLen(path), name);
    for (CHAR16 *at = path; *at; at++)
        *at = *at == L'/' ? L'\\' : *at;
    if (!read_number(crc, 16, &wanted_crc) ||
        !read_number(size, 10, &wanted_size) || !name.length)
        give_up(LIST_NAME L": the line of %s is damaged.", path);
    file = read_file(path);
    if (file.size != wanted_size)
        give_up(L"%s is damaged: it has %lu bytes, and should have %lu.", path,
                (UINT64)file.size, (UINT64)wanted_size);
    if (file.size)
        BS->CalculateCrc32(file.bytes, file.size, &found);
    if (found != wanted_crc)
        give_up(L"%s is damaged: its CRC-32 is %08x, and should be %08x.",
                path, found, (UINT32)wanted_crc);
    return file;
}

static void add_module(LOADER_PARAMETER_BLOCK *block, struct efi_file file,
                       struct text name)
{
    struct loader_module *module = &block->modules[block->module_count];

    if (block->module_count == LOADER_MODULES) {
        block->modules_left_out++;
        return;
    }
    block->module_count++;
    module->base = (ULONG_PTR)file.bytes;
    module->size = file.size;
    copy_text(module->name, sizeof module->name, name);
}

/* What follows the last '/'. */
static struct text base_name(struct text path)
{
    for (UINTN i = path.length; i; i--) {
        if (path.at[i - 1] == '/')
            return (struct text){ path.at + i, path.length - i };
    }
    return path;
}

struct efi_file read_files(LOADER_PARAMETER_BLOCK *block)
{
    struct efi_file list = read_file(LIST_NAME), kernel = { 0 };
    struct text rest = { (const CHAR *)list.bytes, list.size };

    while (rest.length) {
        struct text line = trim(next_line(&rest)), words = line, name;

        if (!line.length || line.at[0] == '#')
            continue;
        next_word(&words);
        next_word(&words);
        name = trim(words);
        if (is_word(name, KERNEL_NAME))
            kernel = read_checked(line, name);
        else
            add_module(block, read_checked(line, name), base_name(name));
    }
    if (!kernel.bytes)
        give_up(LIST_NAME L" does not name " KERNEL_NAME L".");
    return kernel;
}
