/*
 * ldrrun.c - calling entry points, and unloading.
 *
 * What stays is what a walk along "needs" reaches from the program, from
 * ntdll and from every module with a LdrLoadDll that was not undone. So
 * modules that need each other in a ring go as one.
 */
#include "ldrp.h"

static ULONG walk;                              /* number of the last walk */
static BOOLEAN sweeping;

typedef BOOLEAN NTAPI dll_main(void *base, ULONG reason, void *reserved);

/* reserved tells DllMain whether the process starts or ends, as NT does. */
static BOOLEAN call_entry(const struct module *module, ULONG reason,
                          BOOLEAN process)
{
    dll_main *entry = (dll_main *)module->entry.EntryPoint;

    ldr_call_tls(module, reason);
    return entry ? entry(module->image.base, reason,
                         process ? (void *)1 : NULL) : TRUE;
}

static NTSTATUS run(struct module *module)
{
    BOOLEAN started = ldr_data.Initialized;
    LIST_ENTRY *head = &ldr_data.InInitializationOrderModuleList;
    LIST_ENTRY *link = &module->entry.InInitializationOrderLinks;

    module->ready = TRUE;
    link->Flink = head;
    link->Blink = head->Blink;
    head->Blink->Flink = link;
    head->Blink = link;
    if (module == ldr_ntdll || module->unresolved)
        return STATUS_SUCCESS;
    module->entry.Flags |= LDRP_ENTRY_PROCESSED;
    if (call_entry(module, DLL_PROCESS_ATTACH, !started)) {
        module->entry.Flags |= LDRP_PROCESS_ATTACH_CALLED;
        return STATUS_SUCCESS;
    }
    if (!*ldr_reason)
        _snprintf(ldr_reason, sizeof ldr_reason - 1,
                  "%wZ: its DllMain returned FALSE",
                  &module->entry.BaseDllName);
    call_entry(module, DLL_PROCESS_DETACH, !started);
    return STATUS_DLL_INIT_FAILED;
}

static NTSTATUS run_needs_first(struct module *module)
{
    NTSTATUS status = STATUS_SUCCESS;
    ULONG at;

    if (module->mark == walk)
        return STATUS_SUCCESS;
    module->mark = walk;
    for (at = 0; at < module->need_count && NT_SUCCESS(status); at++)
        status = run_needs_first(module->needs[at]);
    if (!NT_SUCCESS(status) || module->ready || module == ldr_program)
        return status;
    return run(module);
}

/* Attach root and all it needs that is not yet attached. A DllMain may load
 * more; that call's walk takes over what this one has not marked. */
NTSTATUS ldr_run_new(struct module *root)
{
    walk++;
    return run_needs_first(root);
}

static void mark_needs(struct module *module)
{
    ULONG at;

    if (module->mark == walk)
        return;
    module->mark = walk;
    for (at = 0; at < module->need_count; at++)
        mark_needs(module->needs[at]);
}

static void mark_all_needed(void)
{
    LIST_ENTRY *head = &ldr_data.InLoadOrderModuleList, *at;

    walk++;
    mark_needs(ldr_program);
    mark_needs(ldr_ntdll);
    for (at = head->Flink; at != head; at = at->Flink)
        if (LDR_MODULE(at)->loads)
            mark_needs(LDR_MODULE(at));
}

/* Attached, not needed, attached last; the order in which to detach. */
static struct module *find_attached(void)
{
    LIST_ENTRY *head = &ldr_data.InInitializationOrderModuleList, *at;

    for (at = head->Blink; at != head; at = at->Blink) {
        struct module *module = CONTAINING_RECORD(
            at, struct module, entry.InInitializationOrderLinks);

        if (module->mark != walk &&
            (module->entry.Flags & LDRP_PROCESS_ATTACH_CALLED))
            return module;
    }
    return NULL;
}

/* First every DllMain, while all is still mapped; then the unmapping. A
 * DllMain may load and unload, so what is needed is asked anew each time. */
void ldr_sweep(void)
{
    LIST_ENTRY *head = &ldr_data.InLoadOrderModuleList, *at, *before;
    struct module *module;

    if (sweeping)                               /* from inside a DllMain */
        return;
    sweeping = TRUE;
    mark_all_needed();
    while ((module = find_attached()) != NULL) {
        module->entry.Flags &= ~LDRP_PROCESS_ATTACH_CALLED;
        call_entry(module, DLL_PROCESS_DETACH, FALSE);
        mark_all_needed();
    }
    for (at = head->Blink; at != head; at = before) {
        before = at->Blink;
        if (LDR_MODULE(at)->mark != walk)
            ldr_remove_module(LDR_MODULE(at));
    }
    sweeping = FALSE;
}

/* The process ends: detach in reverse order; nothing is unmapped. */
void ldr_stop_all(void)
{
    LIST_ENTRY *head = &ldr_data.InInitializationOrderModuleList, *at;

    for (at = head->Blink; at != head; at = at->Blink) {
        struct module *module = CONTAINING_RECORD(
            at, struct module, entry.InInitializationOrderLinks);

        if (module->entry.Flags & LDRP_PROCESS_ATTACH_CALLED) {
            module->entry.Flags &= ~LDRP_PROCESS_ATTACH_CALLED;
            call_entry(module, DLL_PROCESS_DETACH, TRUE);
        }
    }
    if (ldr_program)
        ldr_call_tls(ldr_program, DLL_PROCESS_DETACH);
}

/* Attached, has not heard of this thread, and did not ask not to. */
static BOOLEAN wants_thread(const struct module *module, ULONG thread)
{
    return (module->entry.Flags & LDRP_PROCESS_ATTACH_CALLED) &&
           !(module->entry.Flags & LDRP_DONT_CALL_FOR_THREADS) &&
           module->told != thread;
}

static struct module *next_to_tell(ULONG thread, BOOLEAN backwards)
{
    LIST_ENTRY *head = &ldr_data.InInitializationOrderModuleList, *at;

    for (at = backwards ? head->Blink : head->Flink; at != head;
         at = backwards ? at->Blink : at->Flink) {
        struct module *module = CONTAINING_RECORD(
            at, struct module, entry.InInitializationOrderLinks);

        if (wants_thread(module, thread))
            return module;
    }
    return NULL;
}

/* A DllMain may load and unload, so the list is asked anew each time. */
static void tell(ULONG reason, BOOLEAN backwards)
{
    static ULONG threads;
    ULONG thread = ++threads;
    struct module *module;

    while ((module = next_to_tell(thread, backwards)) != NULL) {
        module->told = thread;
        call_entry(module, reason, FALSE);
    }
    if (ldr_program)
        ldr_call_tls(ldr_program, reason);
}

/* The current thread begins: in the order in which DLLs were initialized. */
void ldr_tell_attach(void)
{
    tell(DLL_THREAD_ATTACH, FALSE);
}

/* It ends: in reverse. */
void ldr_tell_detach(void)
{
    tell(DLL_THREAD_DETACH, TRUE);
}
