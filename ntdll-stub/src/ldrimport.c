/*
 * ldrimport.c - fill a module's import address table.
 */
#include "ldrp.h"

/* Write down what is missing, for people. */
static void explain(const struct module *module, const char *dll,
                    const char *name, ULONG ordinal, NTSTATUS status)
{
    const char *what = status == STATUS_INVALID_IMAGE_FORMAT
                           ? "its tables are broken" : "not found";

    if (*ldr_reason)                            /* the deepest cause is told */
        return;
    if (name)
        _snprintf(ldr_reason, sizeof ldr_reason - 1,
                  "%wZ needs %s of %s: %s", &module->entry.BaseDllName, name,
                  dll, what);
    else
        _snprintf(ldr_reason, sizeof ldr_reason - 1,
                  "%wZ needs ordinal %u of %s: %s",
                  &module->entry.BaseDllName, ordinal, dll, what);
}

static NTSTATUS bind_one(struct module *module, struct module *from,
                         const char *dll, ULONG_PTR want, ULONG_PTR *slot)
{
    ULONG ordinal = IMAGE_ORDINAL(want);
    const char *name = NULL;
    const USHORT *hint = NULL;
    void *address;
    NTSTATUS status;

    if (!IMAGE_SNAP_BY_ORDINAL(want)) {
        if (want >= module->image.size)
            return STATUS_INVALID_IMAGE_FORMAT;
        hint = image_at(&module->image, want, sizeof *hint);
        name = image_text(&module->image, want + sizeof *hint);
        if (!hint || !name)
            return STATUS_INVALID_IMAGE_FORMAT;
    }
    status = ldr_find_export(from, name, hint ? *hint : 0, ordinal, 0,
                             &address);
    if (!NT_SUCCESS(status)) {
        explain(module, dll, name, ordinal, status);
        return status;
    }
    *slot = (ULONG_PTR)address;
    return STATUS_SUCCESS;
}

/* Thunks up to the zero that ends them; 0 when they leave their section. */
static ULONG count_thunks(const struct image *image, ULONG rva)
{
    ULONG count = 0;

    for (;; count++) {
        ULONGLONG at = rva + count * (ULONGLONG)sizeof(ULONG_PTR);
        const ULONG_PTR *thunk =
            at < image->size ? image_at(image, at, sizeof *thunk) : NULL;

        if (!thunk)
            return 0;
        if (!*thunk)
            return count + 1;
    }
}

static NTSTATUS bind_dll(struct module *module,
                         const IMAGE_IMPORT_DESCRIPTOR *descriptor)
{
    const struct image *image = &module->image;
    const char *dll = image_text(image, descriptor->Name);
    ULONG names = descriptor->OriginalFirstThunk
                      ? descriptor->OriginalFirstThunk
                      : descriptor->FirstThunk;
    ULONG count = count_thunks(image, names), at;
    ULONGLONG size = count * (ULONGLONG)sizeof(ULONG_PTR);
    const ULONG_PTR *want = image_at(image, names, size);
    ULONG_PTR *table = image_at(image, descriptor->FirstThunk, size);
    struct image_window window;
    struct module *from;
    NTSTATUS status;

    if (!dll || !count || !want || !table)
        return STATUS_INVALID_IMAGE_FORMAT;
    status = ldr_load_for(module, dll, strlen(dll), &from);
    if (NT_SUCCESS(status))
        status = image_window_open(&window, table, size);
    if (!NT_SUCCESS(status))
        return status;
    for (at = 0; want[at] && NT_SUCCESS(status); at++)
        status = bind_one(module, from, dll, want[at], &table[at]);
    image_window_close(&window);
    return status;
}

NTSTATUS ldr_bind_imports(struct module *module)
{
    IMAGE_DATA_DIRECTORY place;
    ULONGLONG at;

    image_directory(&module->image, IMAGE_DIRECTORY_ENTRY_IMPORT, 0, &place);
    if (!place.VirtualAddress)
        return STATUS_SUCCESS;
    for (at = place.VirtualAddress;; at += sizeof(IMAGE_IMPORT_DESCRIPTOR)) {
        const IMAGE_IMPORT_DESCRIPTOR *descriptor =
            at < module->image.size
                ? image_at(&module->image, at, sizeof *descriptor) : NULL;
        NTSTATUS status;

        if (!descriptor)
            return STATUS_INVALID_IMAGE_FORMAT;
        if (!descriptor->Name || !descriptor->FirstThunk)
            return STATUS_SUCCESS;
        status = bind_dll(module, descriptor);
        if (!NT_SUCCESS(status))
            return status;
    }
}
