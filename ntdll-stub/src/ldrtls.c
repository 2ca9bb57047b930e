/*
 * ldrtls.c - variables that each thread has its own of (__thread).
 *
 * A module with a TLS directory gets an index; TEB.ThreadLocalStoragePointer
 * is the thread's array of blocks by index, each a copy of the module's
 * template followed by zeroes. The compiler reads the array through gs:[58h]
 * (fs:[2Ch] in 32-bit code) on every access, without a lock, so an array never
 * moves: it has its full length from the start. A module that is loaded later
 * gets its block in every thread that there is.
 *
 * A thread is in the list from its first steps in LdrInitializeThunk to
 * LdrShutdownThread. One that was terminated stays there, until a new thread
 * comes with the same TEB. All of it under the loader lock.
 */
#include "ldrp.h"

#define TLS_SLOTS 128

struct tls_thread {
    struct tls_thread *next;
    const TEB *teb;
    void *slots[TLS_SLOTS];
};

static struct tls_thread *tls_threads;
static struct module *tls_modules[TLS_SLOTS];

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

static NTSTATUS choose_index(ULONG *index)
{
    for (*index = 0; *index < TLS_SLOTS; (*index)++)
        if (!tls_modules[*index])
            return STATUS_SUCCESS;
    return STATUS_NO_MEMORY;
}

/* A thread's block of a module. */
static NTSTATUS add_block(struct tls_thread *thread,
                          const struct module *module)
{
    void *block = ldr_allocate(module->tls_size + module->tls_zero);

    if (!block)
        return STATUS_NO_MEMORY;
    memcpy(block, module->tls_start, module->tls_size);
    thread->slots[module->tls_index] = block;
    return STATUS_SUCCESS;
}

static void remove_blocks(const struct module *module)
{
    struct tls_thread *thread;

    for (thread = tls_threads; thread; thread = thread->next) {
        ldr_free(thread->slots[module->tls_index]);
        thread->slots[module->tls_index] = NULL;
    }
}

static NTSTATUS add_blocks(const struct module *module)
{
    struct tls_thread *thread;
    NTSTATUS status = STATUS_SUCCESS;

    for (thread = tls_threads; thread && NT_SUCCESS(status);
         thread = thread->next)
        status = add_block(thread, module);
    if (!NT_SUCCESS(status))
        remove_blocks(module);
    return status;
}

NTSTATUS ldr_add_tls(struct module *module)
{
    struct image_window window;
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
    status = add_blocks(module);
    if (!NT_SUCCESS(status))
        return status;
    tls_modules[module->tls_index] = module;
    module->has_tls = TRUE;
    module->entry.TlsIndex = 0xFFFF;            /* NT: "has one" */
    return STATUS_SUCCESS;
}

void ldr_remove_tls(struct module *module)
{
    if (!module->has_tls)
        return;
    remove_blocks(module);
    tls_modules[module->tls_index] = NULL;
    module->has_tls = FALSE;
}

/* Take the thread with this TEB off the list and free what it had. */
static void forget(const TEB *teb)
{
    struct tls_thread **link = &tls_threads, *thread;
    ULONG at;

    while (*link && (*link)->teb != teb)
        link = &(*link)->next;
    thread = *link;
    if (!thread)
        return;
    *link = thread->next;
    for (at = 0; at < TLS_SLOTS; at++)
        ldr_free(thread->slots[at]);
    ldr_free(thread);
}

NTSTATUS ldr_add_tls_thread(void)
{
    TEB *teb = NtCurrentTeb();
    struct tls_thread *thread;
    NTSTATUS status = STATUS_SUCCESS;
    ULONG at;

    forget(teb);
    thread = ldr_allocate(sizeof *thread);
    if (!thread)
        return STATUS_NO_MEMORY;
    thread->teb = teb;
    thread->next = tls_threads;
    tls_threads = thread;
    for (at = 0; at < TLS_SLOTS && NT_SUCCESS(status); at++)
        if (tls_modules[at])
            status = add_block(thread, tls_modules[at]);
    if (NT_SUCCESS(status))
        teb->ThreadLocalStoragePointer = thread->slots;
    else
        forget(teb);
    return status;
}

void ldr_remove_tls_thread(void)
{
    TEB *teb = NtCurrentTeb();

    teb->ThreadLocalStoragePointer = NULL;
    forget(teb);
}

void ldr_call_tls(const struct module *module, ULONG reason)
{
    ULONG_PTR *callback = module->tls_callbacks;

    for (; callback && *callback; callback++) {
        void (NTAPI *routine)(void *, ULONG, void *) = (void *)*callback;

        routine(module->image.base, reason, NULL);
    }
}
