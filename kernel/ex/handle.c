/*
 * ex/handle.c - NT's handle table.
 *
 * The table grows a page of 256 entries at a time and is never shrunk.  As
 * long as one page is enough, TableCode is that page; then it becomes a page
 * of 512 pointers to entry pages, and then a page of pointers to such pages:
 *
 *      handle bits  2-9    entry in its page
 *                  10-18   entry page in its middle page
 *                  19-25   middle page in the top page
 *
 * Free entries form a list, taken and returned at its head, so a program that
 * closes a handle gets the same value for its next one.  What the pointer in
 * an entry means is the object manager's business; this file compiles for the
 * host as well, where the unit tests drive it.
 *
 * A used entry is locked by its own bit, for a few instructions at
 * DISPATCH_LEVEL; all else changes under FreeListLock, which may be taken
 * while an entry is held, never the other way round.
 */
#include <ex.h>
#include <mm.h>

#define EX_HANDLE_TAG 0x6C62744F        /* "Otbl" */

#define EXP_LEVEL_MASK 3ULL
#define EXP_ENTRIES (PAGE_SIZE / sizeof(HANDLE_TABLE_ENTRY))
#define EXP_POINTERS (PAGE_SIZE / sizeof(void *))
#define EXP_UNLOCKED 1

static void *exp_allocate_page(void)
{
    return ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, EX_HANDLE_TAG);
}

static ULONG exp_level(const HANDLE_TABLE *table)
{
    return table->TableCode & EXP_LEVEL_MASK;
}

static void *exp_top(const HANDLE_TABLE *table)
{
    return (void *)(ULONG_PTR)(table->TableCode & ~EXP_LEVEL_MASK);
}

static void exp_set_top(HANDLE_TABLE *table, void *top, ULONG level)
{
    __atomic_store_n(&table->TableCode, (ULONG_PTR)top | level,
                     __ATOMIC_RELEASE);
}

/* The entry page that number leads to; it must exist. */
static HANDLE_TABLE_ENTRY *exp_page(const HANDLE_TABLE *table, ULONG number)
{
    ULONGLONG code = __atomic_load_n(&table->TableCode, __ATOMIC_ACQUIRE);
    void *page = (void *)(ULONG_PTR)(code & ~EXP_LEVEL_MASK);

    if ((code & EXP_LEVEL_MASK) == 2)
        page = ((void **)page)[number / EXP_POINTERS];
    if ((code & EXP_LEVEL_MASK) >= 1)
        page = ((void **)page)[number % EXP_POINTERS];
    return page;
}

/* Chain a new page's entries so that its lowest handle is taken first. */
static void exp_free_page_entries(HANDLE_TABLE *table,
                                  HANDLE_TABLE_ENTRY *page)
{
    HANDLE_TABLE_FREE_LIST *list = &table->FreeLists[0];

    page[0].LeafHandleValue = table->NextHandleNeedingPool;
    for (ULONG i = 1; i < EXP_ENTRIES - 1; i++)
        page[i].NextFreeHandleEntry = &page[i + 1];
    page[EXP_ENTRIES - 1].NextFreeHandleEntry = list->FirstFreeHandleEntry;
    list->FirstFreeHandleEntry = &page[1];
    __atomic_store_n(&table->NextHandleNeedingPool,
                     table->NextHandleNeedingPool +
                         EXP_ENTRIES * EX_HANDLE_STEP, __ATOMIC_RELEASE);
}

/*
 * Put one more pointer page above the present top.  Its only pointer leads to
 * the old top, so every handle keeps its entry.
 */
static BOOLEAN exp_add_level(HANDLE_TABLE *table)
{
    void **top = exp_allocate_page();

    if (top == NULL)
        return FALSE;
    top[0] = exp_top(table);
    exp_set_top(table, top, exp_level(table) + 1);
    return TRUE;
}

/* Where the pointer to entry page number belongs; NULL without memory. */
static void **exp_page_slot(HANDLE_TABLE *table, ULONG number)
{
    void **top, **middle;

    if (exp_level(table) == 0 && !exp_add_level(table))
        return NULL;
    if (exp_level(table) == 1 && number == EXP_POINTERS &&
        !exp_add_level(table))
        return NULL;

    top = exp_top(table);
    if (exp_level(table) == 1)
        return &top[number];

    middle = top[number / EXP_POINTERS];
    if (middle == NULL)
        middle = top[number / EXP_POINTERS] = exp_allocate_page();
    return middle == NULL ? NULL : &middle[number % EXP_POINTERS];
}

/*
 * One more page of entries.  A failure half-way leaves pointer pages that
 * lead nowhere; the next attempt uses them.
 */
static BOOLEAN exp_grow(HANDLE_TABLE *table)
{
    ULONG number = table->NextHandleNeedingPool /
                   (EXP_ENTRIES * EX_HANDLE_STEP);
    HANDLE_TABLE_ENTRY *page;
    void **slot;

    if (number >= EX_HANDLE_LIMIT / EXP_ENTRIES)
        return FALSE;
    slot = exp_page_slot(table, number);
    page = slot == NULL ? NULL : exp_allocate_page();
    if (page == NULL)
        return FALSE;
    *slot = page;
    exp_free_page_entries(table, page);
    return TRUE;
}

HANDLE_TABLE *ExCreateHandleTable(struct _EPROCESS *process)
{
    HANDLE_TABLE *table = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*table),
                                          EX_HANDLE_TAG);
    HANDLE_TABLE_ENTRY *page;

    if (table == NULL)
        return NULL;
    page = exp_allocate_page();
    if (page == NULL) {
        ExFreePoolWithTag(table, EX_HANDLE_TAG);
        return NULL;
    }
    table->QuotaProcess = process;
    InitializeListHead(&table->HandleTableList);
    exp_set_top(table, page, 0);
    exp_free_page_entries(table, page);
    return table;
}

/* The handle of an entry: entry 0 of its page knows the first. */
static HANDLE exp_entry_handle(const HANDLE_TABLE_ENTRY *entry)
{
    const HANDLE_TABLE_ENTRY *page =
        (const HANDLE_TABLE_ENTRY *)ALIGN_DOWN(entry, PAGE_SIZE);

    return (HANDLE)(page->LeafHandleValue +
                    (ULONG_PTR)(entry - page) * EX_HANDLE_STEP);
}

/* A free entry off the list, FreeListLock held; NULL without memory. */
static HANDLE_TABLE_ENTRY *exp_take_entry(HANDLE_TABLE *table)
{
    HANDLE_TABLE_FREE_LIST *list = &table->FreeLists[0];
    HANDLE_TABLE_ENTRY *entry;

    if (table->Flags & EX_TABLE_RUNDOWN)
        return NULL;
    if (list->FirstFreeHandleEntry == NULL && !exp_grow(table))
        return NULL;
    entry = list->FirstFreeHandleEntry;
    list->FirstFreeHandleEntry = entry->NextFreeHandleEntry;
    list->HandleCount++;
    if ((ULONG)list->HandleCount > list->HighWaterMark)
        list->HighWaterMark = list->HandleCount;
    return entry;
}

/* From the store of LowValue on the handle is in use. */
static void exp_fill_entry(HANDLE_TABLE_ENTRY *entry, void *object,
                           ACCESS_MASK access, ULONG attributes)
{
    entry->HighValue = access & 0x1FFFFFF;
    __atomic_store_n(&entry->LowValue,
                     (LONGLONG)((ULONG_PTR)object >> 4 << 20) |
                         (LONGLONG)(attributes & EX_HANDLE_ATTRIBUTES) << 17 |
                         EXP_UNLOCKED, __ATOMIC_RELEASE);
}

HANDLE ExCreateHandle(HANDLE_TABLE *table, void *object, ACCESS_MASK access,
                      ULONG attributes)
{
    KSPIN_LOCK *lock = &table->FreeLists[0].FreeListLock;
    KIRQL irql = KeAcquireSpinLock(lock);
    HANDLE_TABLE_ENTRY *entry = exp_take_entry(table);
    HANDLE handle = NULL;

    if (entry != NULL) {
        handle = exp_entry_handle(entry);
        exp_fill_entry(entry, object, access, attributes);
    }
    KeReleaseSpinLock(lock, irql);
    return handle;
}

/* FALSE: the entry is free.  IRQL: DISPATCH_LEVEL. */
static BOOLEAN exp_lock_entry(HANDLE_TABLE_ENTRY *entry)
{
    for (;;) {
        LONGLONG low = __atomic_load_n(&entry->LowValue, __ATOMIC_RELAXED);

        if (low == 0)
            return FALSE;
        if ((low & EXP_UNLOCKED) &&
            __atomic_compare_exchange_n(&entry->LowValue, &low,
                                        low & ~(LONGLONG)EXP_UNLOCKED, FALSE,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return TRUE;
        arch_pause();
    }
}

HANDLE_TABLE_ENTRY *ExMapHandleToPointer(HANDLE_TABLE *table, HANDLE handle,
                                         KIRQL *irql)
{
    ULONG_PTR index = (ULONG_PTR)handle / EX_HANDLE_STEP;
    HANDLE_TABLE_ENTRY *entry;

    if ((ULONG_PTR)handle >= __atomic_load_n(&table->NextHandleNeedingPool,
                                             __ATOMIC_ACQUIRE) ||
        index % EXP_ENTRIES == 0)
        return NULL;
    entry = &exp_page(table, index / EXP_ENTRIES)[index % EXP_ENTRIES];
    *irql = KfRaiseIrql(DISPATCH_LEVEL);
    if (exp_lock_entry(entry))
        return entry;
    KfLowerIrql(*irql);
    return NULL;
}

void ExUnlockHandleTableEntry(HANDLE_TABLE_ENTRY *entry, KIRQL irql)
{
    __atomic_or_fetch(&entry->LowValue, EXP_UNLOCKED, __ATOMIC_RELEASE);
    KfLowerIrql(irql);
}

void ex_set_entry_attributes(HANDLE_TABLE_ENTRY *entry, ULONG attributes)
{
    entry->LowValue &= ~((LONGLONG)EX_HANDLE_ATTRIBUTES << 17);
    entry->LowValue |= (LONGLONG)(attributes & EX_HANDLE_ATTRIBUTES) << 17;
}

void ExDestroyHandle(HANDLE_TABLE *table, HANDLE_TABLE_ENTRY *entry,
                     KIRQL irql)
{
    HANDLE_TABLE_FREE_LIST *list = &table->FreeLists[0];

    KxAcquireSpinLock(&list->FreeListLock);
    __atomic_store_n(&entry->LowValue, 0, __ATOMIC_RELEASE);
    entry->NextFreeHandleEntry = list->FirstFreeHandleEntry;
    list->FirstFreeHandleEntry = entry;
    list->HandleCount--;
    KeReleaseSpinLock(&list->FreeListLock, irql);
}

HANDLE_TABLE_ENTRY *ex_next_handle(HANDLE_TABLE *table, ULONG_PTR *handle,
                                   KIRQL *irql)
{
    HANDLE_TABLE_ENTRY *entry;

    for (; *handle < table->NextHandleNeedingPool;
         *handle += EX_HANDLE_STEP) {
        entry = ExMapHandleToPointer(table, (HANDLE)*handle, irql);
        if (entry != NULL)
            return entry;
    }
    return NULL;
}

/* Free a page of the table and, level by level, what it points to. */
static void exp_free_pages(void **page, ULONG level)
{
    for (ULONG i = 0; level > 0 && i < EXP_POINTERS; i++) {
        if (page[i] != NULL)
            exp_free_pages(page[i], level - 1);
    }
    ExFreePoolWithTag(page, EX_HANDLE_TAG);
}

void ex_sweep_handle_table(HANDLE_TABLE *table,
                           void (*callback)(void *object))
{
    KSPIN_LOCK *lock = &table->FreeLists[0].FreeListLock;
    KIRQL irql = KeAcquireSpinLock(lock);
    HANDLE_TABLE_ENTRY *entry;
    ULONG_PTR handle = 0;

    table->Flags |= EX_TABLE_RUNDOWN;
    KeReleaseSpinLock(lock, irql);
    while ((entry = ex_next_handle(table, &handle, &irql)) != NULL) {
        void *object = ex_entry_object(entry);

        ExDestroyHandle(table, entry, irql);
        callback(object);
    }
}

void ex_enable_handle_exceptions(HANDLE_TABLE *table)
{
    KSPIN_LOCK *lock = &table->FreeLists[0].FreeListLock;
    KIRQL irql = KeAcquireSpinLock(lock);

    table->Flags |= EX_TABLE_HANDLE_EXCEPTIONS;
    KeReleaseSpinLock(lock, irql);
}

void ex_free_handle_table(HANDLE_TABLE *table)
{
    exp_free_pages(exp_top(table), exp_level(table));
    ExFreePoolWithTag(table, EX_HANDLE_TAG);
}

/* Entries for as many handles as old has; the free list comes later. */
static BOOLEAN exp_grow_to(HANDLE_TABLE *table, ULONG handles)
{
    while (table->NextHandleNeedingPool < handles) {
        if (!exp_grow(table))
            return FALSE;
    }
    return TRUE;
}

/* Chain the entries that are free, lowest first. */
static void exp_rebuild_free_list(HANDLE_TABLE *table)
{
    HANDLE_TABLE_FREE_LIST *list = &table->FreeLists[0];
    ULONG index = table->NextHandleNeedingPool / EX_HANDLE_STEP;

    list->FirstFreeHandleEntry = NULL;
    list->HandleCount = 0;
    while (index-- != 0) {
        HANDLE_TABLE_ENTRY *entry =
            &exp_page(table, index / EXP_ENTRIES)[index % EXP_ENTRIES];

        if (index % EXP_ENTRIES == 0)
            continue;
        if (entry->LowValue != 0) {
            list->HandleCount++;
            continue;
        }
        entry->NextFreeHandleEntry = list->FirstFreeHandleEntry;
        list->FirstFreeHandleEntry = entry;
    }
    list->HighWaterMark = list->HandleCount;
}

HANDLE_TABLE *ExDupHandleTable(struct _EPROCESS *process, HANDLE_TABLE *old,
                               BOOLEAN (*keep)(struct _EPROCESS *process,
                                               void *object,
                                               ULONG attributes))
{
    HANDLE_TABLE *table = ExCreateHandleTable(process);
    HANDLE_TABLE_ENTRY *from;
    ULONG_PTR handle = 0;
    KIRQL irql;

    if (table != NULL && !exp_grow_to(table, old->NextHandleNeedingPool)) {
        ex_free_handle_table(table);
        return NULL;
    }
    while (table != NULL &&
           (from = ex_next_handle(old, &handle, &irql)) != NULL) {
        ULONG_PTR index = handle / EX_HANDLE_STEP;
        HANDLE_TABLE_ENTRY *to;

        if (handle < table->NextHandleNeedingPool &&
            keep(process, ex_entry_object(from), ex_entry_attributes(from))) {
            to = &exp_page(table, index / EXP_ENTRIES)[index % EXP_ENTRIES];
            exp_fill_entry(to, ex_entry_object(from), ex_entry_access(from),
                           ex_entry_attributes(from));
        }
        ExUnlockHandleTableEntry(from, irql);
        handle += EX_HANDLE_STEP;
    }
    if (table != NULL)
        exp_rebuild_free_list(table);
    return table;
}
