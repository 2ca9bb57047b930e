/*
 * mm/trim.c - pages leave the working sets of processes.
 *
 * When few pages are left, a thread of the system goes from process to
 * process.  A hand goes round each one's pages: one that was used since the
 * hand came by last (Accessed) is only marked, one that was not leaves its
 * working set, for the standby or the modified list.  Another thread writes
 * modified pages to the page file, and they are standby pages then.
 *
 * A fault that finds no page wakes the first and waits, without any lock, for
 * there to be one; then the access is done again.  The kernel does not wait
 * for its own pages, so they wake the first before there are none.
 *
 * Without a page file none of this runs: what is promised is there.
 */
#include "vad.h"

#define ENOUGH 256              /* free or standby, above the kernel's */
#define PAGES_AT_ONCE 128
#define VISITS_AT_ONCE 4096
#define TRIM_PRIORITY 17

/* Set: pages are wanted; modified ones are to be written; there are some. */
static KEVENT trim_wanted, write_wanted, pages_there;

/* Sets the first for who has locks that Ke's come before. */
static KDPC few_pages;
static BOOLEAN started;                 /* boot */

static BOOLEAN is_enough(ULONG_PTR wanted)
{
    return MmFreePageListHead.Total + MmStandbyPageListHead.Total >=
           MI_FAULT_RESERVE + wanted;
}

/* A page of the kernel's (the shared one) has no entry that it belongs to. */
static BOOLEAN can_leave(MMPTE pte)
{
    const struct mi_pfn *page = mi_pfn_at(mi_pte_page(pte));

    return page->PteAddress && page->ReferenceCount == 0 &&
           !mi_is_locked(pte);
}

/* Returns whether the page has left. */
static BOOLEAN visit(EPROCESS *process, ULONGLONG va, BOOLEAN all)
{
    MMPTE pte = mi_read_pte(va);

    if (!pte.u.Hard.Valid || !can_leave(pte))
        return FALSE;
    if (!all && pte.u.Hard.Accessed) {
        __sync_fetch_and_and(&MiGetPteAddress((void *)va)->u.Long,
                             ~MI_PTE_ACCESSED);
        return FALSE;
    }
    mi_remove_from_set(process, va, mi_pte_mask(pte));
    return TRUE;
}

/* From the hand on; at the end of the addresses it starts again. */
static void turn(EPROCESS *process)
{
    ULONGLONG end = mi_regions_end(process), va = process->Vm.hand;
    ULONG gone = 0;

    for (ULONG i = 0; i < VISITS_AT_ONCE && gone < PAGES_AT_ONCE; i++) {
        va = mi_next_entry(va, end);
        if (va >= end)
            break;
        gone += visit(process, va, FALSE);
        va += PAGE_SIZE;
    }
    process->Vm.hand = va >= end ? 0 : va;
}

static void trim_process(EPROCESS *process)
{
    struct mi_visit space;

    if (!NT_SUCCESS(mi_enter_space(process, &space)))
        return;
    turn(process);
    mi_leave_space(&space);
}

static void trim_processes(void)
{
    EPROCESS *process;

    for (ULONG i = 0; !is_enough(ENOUGH) &&
                      (process = ps_reference_process(i)) != NULL; i++) {
        trim_process(process);
        ObDereferenceObject(process);
    }
}

static void trimmer(void *argument)
{
    (void)argument;
    KeSetPriorityThread(KeGetCurrentThread(), TRIM_PRIORITY);
    for (;;) {
        KeWaitForSingleObject(&trim_wanted, Executive, KernelMode, FALSE,
                              NULL);
        trim_processes();
        KeSetEvent(&write_wanted, 0, FALSE);
    }
}

/* FALSE: there is none, or no place for it. */
static BOOLEAN write_modified_page(void)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    PFN_NUMBER pfn = MmModifiedPageListHead.Flink;
    BOOLEAN written = pfn && mi_write_page(pfn);

    if (written) {
        mi_unlink_page(pfn);
        mi_retire_page(pfn);
        KeGetCurrentPrcb()->MmDirtyPagesWriteCount++;
        KeGetCurrentPrcb()->MmDirtyWriteIoCount++;
    }
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    return written;
}

void mm_flush_modified_list(void)
{
    while (write_modified_page())
        continue;
}

static void MiModifiedPageWriter(void *argument)
{
    (void)argument;
    KeSetPriorityThread(KeGetCurrentThread(), TRIM_PRIORITY);
    for (;;) {
        KeWaitForSingleObject(&write_wanted, Executive, KernelMode, FALSE,
                              NULL);
        mm_flush_modified_list();
        KeSetEvent(&pages_there, 0, FALSE);
    }
}

void mi_wait_for_pages(void)
{
    ASSERT(mi_has_page_file() && !mi_owns_space());
    KeClearEvent(&pages_there);
    if (is_enough(1)) {
        KeSetEvent(&pages_there, 0, FALSE);     /* who waits goes on, too */
        return;
    }
    KeSetEvent(&trim_wanted, 0, FALSE);
    KeWaitForSingleObject(&pages_there, Executive, KernelMode, FALSE, NULL);
}

static void want_pages(KDPC *dpc, void *context, void *argument1,
                       void *argument2)
{
    (void)dpc;
    (void)context;
    (void)argument1;
    (void)argument2;
    KeSetEvent(&trim_wanted, 0, FALSE);
}

void mi_note_allocation(void)
{
    if (started && !is_enough(ENOUGH))
        KeInsertQueueDpc(&few_pages, NULL, NULL);
}

void mi_empty_range(EPROCESS *process, ULONGLONG start, ULONGLONG end)
{
    for (ULONGLONG va = mi_next_entry(start, end); va < end;
         va = mi_next_entry(va + PAGE_SIZE, end))
        (void)visit(process, va, TRUE);
    if (mi_has_page_file())
        KeSetEvent(&write_wanted, 0, FALSE);
}

NTSTATUS mm_empty_working_set(EPROCESS *process)
{
    struct mi_visit space;
    NTSTATUS status = mi_enter_space(process, &space);

    if (!NT_SUCCESS(status))
        return status;
    mi_empty_range(process, 0, mi_regions_end(process));
    mi_leave_space(&space);
    return STATUS_SUCCESS;
}

static void start(void (*routine)(void *argument))
{
    NTSTATUS status = ps_create_system_thread(routine, NULL, NULL);

    if (!NT_SUCCESS(status))
        KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, 1, (ULONG)status, 0, 0);
}

void mm_start_paging(void)
{
    if (!mi_has_page_file())
        return;
    KeInitializeEvent(&trim_wanted, EventSynchronizationObject, FALSE);
    KeInitializeEvent(&write_wanted, EventSynchronizationObject, FALSE);
    KeInitializeEvent(&pages_there, EventNotificationObject, FALSE);
    KeInitializeDpc(&few_pages, want_pages, NULL);
    started = TRUE;
    start(trimmer);
    start(MiModifiedPageWriter);
}
