/*
 * ldrexport.c - from a name or an ordinal to an address.
 */
#include "ldrp.h"

#define FORWARD_LIMIT 16                        /* a loop of forwarders ends */

struct exports {
    ULONG start, size;                          /* of the directory */
    ULONG base, count, names;
    const ULONG *functions, *name_rvas;
    const USHORT *ordinals;
};

static NTSTATUS open_exports(const struct image *image,
                             struct exports *exports)
{
    IMAGE_DATA_DIRECTORY place;
    const IMAGE_EXPORT_DIRECTORY *directory =
        image_directory(image, IMAGE_DIRECTORY_ENTRY_EXPORT,
                        sizeof *directory, &place);

    if (!place.VirtualAddress)
        return STATUS_PROCEDURE_NOT_FOUND;
    if (!directory)
        return STATUS_INVALID_IMAGE_FORMAT;
    exports->start = place.VirtualAddress;
    exports->size = place.Size;
    exports->base = directory->Base;
    exports->count = directory->NumberOfFunctions;
    exports->names = directory->NumberOfNames;
    exports->functions = image_at(image, directory->AddressOfFunctions,
                                  exports->count * 4ULL);
    exports->name_rvas = image_at(image, directory->AddressOfNames,
                                  exports->names * 4ULL);
    exports->ordinals = image_at(image, directory->AddressOfNameOrdinals,
                                 exports->names * 2ULL);
    if (exports->count && !exports->functions)
        return STATUS_INVALID_IMAGE_FORMAT;
    if (exports->names && (!exports->name_rvas || !exports->ordinals))
        return STATUS_INVALID_IMAGE_FORMAT;
    return STATUS_SUCCESS;
}

/* Names are sorted; the hint, if right, saves the search. */
static NTSTATUS find_name(const struct image *image,
                          const struct exports *exports, const char *name,
                          ULONG hint, ULONG *index)
{
    ULONG low = 0, high = exports->names;
    BOOLEAN first = hint < exports->names;

    while (low < high) {
        ULONG middle = first ? hint : low + (high - low) / 2;
        const char *text = image_text(image, exports->name_rvas[middle]);
        int order;

        if (!text)
            return STATUS_INVALID_IMAGE_FORMAT;
        order = strcmp(name, text);
        if (order == 0) {
            *index = exports->ordinals[middle];
            return STATUS_SUCCESS;
        }
        if (!first && order < 0)
            high = middle;
        else if (!first)
            low = middle + 1;
        first = FALSE;
    }
    return STATUS_ENTRYPOINT_NOT_FOUND;
}

/* "DLL.Name" or "DLL.#ordinal"; the module's name may contain dots. */
static NTSTATUS follow(struct module *module, const char *text, ULONG depth,
                       void **address)
{
    const char *dot = strrchr(text, '.');
    struct module *target;
    NTSTATUS status;

    if (!dot || dot == text || !dot[1] || depth >= FORWARD_LIMIT)
        return STATUS_INVALID_IMAGE_FORMAT;
    status = ldr_load_for(module, text, dot - text, &target);
    if (!NT_SUCCESS(status))
        return status;
    if (dot[1] == '#')
        return ldr_find_export(target, NULL, 0, strtoul(dot + 2, NULL, 10),
                               depth + 1, address);
    return ldr_find_export(target, dot + 1, ~0u, 0, depth + 1, address);
}

NTSTATUS ldr_find_export(struct module *module, const char *name, ULONG hint,
                         ULONG ordinal, ULONG depth, void **address)
{
    const struct image *image = &module->image;
    struct exports exports;
    ULONG index, rva;
    NTSTATUS status = open_exports(image, &exports);

    if (NT_SUCCESS(status) && name) {
        status = find_name(image, &exports, name, hint, &index);
    } else if (NT_SUCCESS(status)) {
        index = ordinal - exports.base;
        if (ordinal < exports.base)
            status = STATUS_ORDINAL_NOT_FOUND;
    } else if (status == STATUS_PROCEDURE_NOT_FOUND) {
        return name ? STATUS_ENTRYPOINT_NOT_FOUND : STATUS_ORDINAL_NOT_FOUND;
    }
    if (!NT_SUCCESS(status))
        return status;
    if (index >= exports.count || !exports.functions[index])
        return name ? STATUS_ENTRYPOINT_NOT_FOUND : STATUS_ORDINAL_NOT_FOUND;
    rva = exports.functions[index];
    if (rva - exports.start < exports.size) {
        const char *text = image_text(image, rva);

        return text ? follow(module, text, depth, address)
                    : STATUS_INVALID_IMAGE_FORMAT;
    }
    if (rva >= image->size)
        return STATUS_INVALID_IMAGE_FORMAT;
    *address = image->base + rva;
    return STATUS_SUCCESS;
}
