/*
 * ldrtls.c - variables that each thread has its own of (__thread).
 *
 * A module with a TLS directory gets an index; TEB.ThreadLocalStoragePointer
 * is the thread's array of blocks by index, each a copy of the module's
 * template followed by zeroes. The compiler reads the array through gs:[58h]
 * (fs:[2Ch] in 32-bit code) on every access, so growing it must replace it by
 * a copy, never move it away before the copy is in place. The process has one
 * thread.
 */
#include "ldrp.h"

#define TLS_ROOM_STEP 16

static ULONG tls_room;                          /* slots in the array */
static BOOLEAN *tls_taken;                      /* slot has a module */

static NTSTATUS grow(void)
{
    TEB *teb = NtCurrentTeb();
    ULONG room = tls_room + TLS_ROOM_STEP;
    void **slots = ldr_allocate(room * sizeof *slots);
    BOOLEAN *taken = ldr_allocate(room * sizeof *taken);
    void *old = teb->ThreadLocalStoragePointer;

    if (!slots || !taken) {
        ldr_free(slots);
        ldr_free(taken);
        return STATUS_NO_MEMORY;
    }
    if (tls_room) {
        memcpy(slots, old, tls_room * sizeof *slots);
        memcpy(taken, tls_taken, tls_room * sizeof *taken);
        ldr_free(tls_taken);
    }
    teb->ThreadLocalStoragePointer = slots;
    ldr_free(old);
    tls_taken = taken;
    tls_room = room;
    return STATUS_SUCCESS;
}

static NTSTATUS choose_index(ULONG *index)
{
    for (*index = 0; *index < tls_room; (*index)++)
        if (!tls_taken[*index])
            return STATUS_SUCCESS;
    return grow();
}

/* The callbacks' list must end before its section does. */
static NTSTATUS read_callbacks(struct module *module, ULONG_PTR address)
{
    ULONG_PTR at;

    if (!address)
        return STATUS_SUCCESS;
    for (at = address;; at += sizeof at) {
        ULONG_PTR *callback = image_at_address(&module->image, at, sizeof at);

        if (!callback)
            return STATUS_INVALID_IMAGE_FORMAT;
        if (!*callback)
            break;
        if (*callback - (ULONG_PTR)module->image.base >= module->image.size)
            return STATUS_INVALID_IMAGE_FORMAT;
    }
    module->tls_callbacks = (ULONG_PTR *)address;
    return STATUS_SUCCESS;
}

static NTSTATUS read_directory(struct module *module, ULONG **index)
{
    const struct image *image = &module->image;
    IMAGE_DATA_DIRECTORY place;
    const IMAGE_TLS_DIRECTORY *directory =
        image_directory(image, IMAGE_DIRECTORY_ENTRY_TLS, sizeof *directory,
                        &place);

    *index = NULL;
    if (!place.VirtualAddress)
        return STATUS_SUCCESS;
    if (!directory ||
        directory->EndAddressOfRawData < directory->StartAddressOfRawData)
        return STATUS_INVALID_IMAGE_FORMAT;
    module->tls_size = directory->EndAddressOfRawData -
                       directory->StartAddressOfRawData;
    module->tls_zero = directory->SizeOfZeroFill;
    if (module->tls_size) {
        module->tls_start = image_at_address(image,
                                             directory->StartAddressOfRawData,
                                             module->tls_size);
        if (!module->tls_start)
            return STATUS_INVALID_IMAGE_FORMAT;
    }
    *index = image_at_address(image, directory->AddressOfIndex,
                              sizeof **index);
    if (!*index)
        return STATUS_INVALID_IMAGE_FORMAT;
    return read_callbacks(module, directory->AddressOfCallBacks);
}

NTSTATUS ldr_add_tls(struct module *module)
{
    struct image_window window;
    void **slots;
    ULONG *index;
    NTSTATUS status = read_directory(module, &index);

    if (!NT_SUCCESS(status) || !index)
        return status;
    status = choose_index(&module->tls_index);
    if (NT_SUCCESS(status))
        status = image_window_open(&window, index, sizeof *index);
    if (!NT_SUCCESS(status))
        return status;
    *index = module->tls_index;
    image_window_close(&window);
    slots = NtCurrentTeb()->ThreadLocalStoragePointer;
    slots[module->tls_index] = ldr_allocate(module->tls_size +
                                            module->tls_zero);
    if (!slots[module->tls_index])
        return STATUS_NO_MEMORY;
    memcpy(slots[module->tls_index], module->tls_start, module->tls_size);
    tls_taken[module->tls_index] = TRUE;
    module->has_tls = TRUE;
    module->entry.TlsIndex = 0xFFFF;            /* NT: "has one" */
    return STATUS_SUCCESS;
}

void ldr_remove_tls(struct module *module)
{
    void **slots = NtCurrentTeb()->ThreadLocalStoragePointer;

    if (!module->has_tls)
        return;
    ldr_free(slots[module->tls_index]);
    slots[module->tls_index] = NULL;
    tls_taken[module->tls_index] = FALSE;
    module->has_tls = FALSE;
}

void ldr_call_tls(const struct module *module, ULONG reason)
{
    ULONG_PTR *callback = module->tls_callbacks;

    for (; callback && *callback; callback++) {
        void (NTAPI *routine)(void *, ULONG, void *) = (void *)*callback;

        routine(module->image.base, reason, NULL);
    }
}
