/*
 * functable.c - from an address to its function's entry.
 *
 * All tables are in one list: a module's (.pdata) from the moment it is in the
 * loader's list until it is unmapped, and what the program adds for code that
 * it makes. The lock is held to copy a table's description, not to search it:
 * an exception in a search looks for functions itself.
 *
 * NT: modules are in LdrpInvertedFunctionTable, the others in a list of
 * DYNAMIC_FUNCTION_TABLE.
 */
#include "unwindp.h"

#include "../src/image.h"

static RTL_SRWLOCK lock;
static LIST_ENTRY tables = { &tables, &tables };

static BOOLEAN covers(const struct unwind_range *range, ULONGLONG address)
{
    return address >= range->low && address < range->high;
}

static void insert(struct function_table *table)
{
    RtlAcquireSRWLockExclusive(&lock);
    table->links.Flink = &tables;
    table->links.Blink = tables.Blink;
    tables.Blink->Flink = &table->links;
    tables.Blink = &table->links;
    RtlReleaseSRWLockExclusive(&lock);
}

static void unlink(struct function_table *table)
{
    table->links.Blink->Flink = table->links.Flink;
    table->links.Flink->Blink = table->links.Blink;
}

/* By the loader, which has checked the headers. */
void functions_add_image(struct function_table *table,
                         const struct image *image)
{
    IMAGE_DATA_DIRECTORY found = { 0 };
    void *first = image_directory(image, IMAGE_DIRECTORY_ENTRY_EXCEPTION,
                                  sizeof(RUNTIME_FUNCTION), &found);

    table->base = (ULONGLONG)image->base;
    table->range.low = table->base;
    table->range.high = table->base + image->size;
    table->sorted = TRUE;
    if (first && image_at(image, found.VirtualAddress, found.Size)) {
        table->first = first;
        table->count = found.Size / sizeof *table->first;
    }
    insert(table);
}

void functions_remove_image(struct function_table *table)
{
    RtlAcquireSRWLockExclusive(&lock);
    unlink(table);
    RtlReleaseSRWLockExclusive(&lock);
}

/* Of the tables in whose range pc is, the one with this number. */
static BOOLEAN find_table(ULONGLONG pc, ULONG number,
                          struct function_table *table)
{
    LIST_ENTRY *at;
    BOOLEAN found = FALSE;

    RtlAcquireSRWLockShared(&lock);
    for (at = tables.Flink; at != &tables && !found; at = at->Flink) {
        const struct function_table *this =
            CONTAINING_RECORD(at, struct function_table, links);

        found = covers(&this->range, pc) && !number--;
        if (found)
            *table = *this;
    }
    RtlReleaseSRWLockShared(&lock);
    return found;
}

static RUNTIME_FUNCTION *find_sorted(const struct function_table *table,
                                     ULONGLONG rva)
{
    ULONG low = 0, high = table->count;

    while (low < high) {
        ULONG middle = low + (high - low) / 2;
        RUNTIME_FUNCTION *entry = &table->first[middle];

        if (rva < entry->BeginAddress)
            high = middle;
        else if (rva >= entry->EndAddress)
            low = middle + 1;
        else
            return entry;
    }
    return NULL;
}

static RUNTIME_FUNCTION *find_any(const struct function_table *table,
                                  ULONGLONG rva)
{
    ULONG at;

    for (at = 0; at < table->count; at++)
        if (rva >= table->first[at].BeginAddress &&
            rva < table->first[at].EndAddress)
            return &table->first[at];
    return NULL;
}

/* An entry may stand for another one of the same image. */
static RUNTIME_FUNCTION *follow(RUNTIME_FUNCTION *entry, ULONGLONG base,
                                const struct unwind_range *image)
{
    ULONGLONG at;

    if (!(entry->UnwindData & RUNTIME_FUNCTION_INDIRECT))
        return entry;
    at = base + (entry->UnwindData & ~RUNTIME_FUNCTION_INDIRECT);
    if (at < image->low || at >= image->high ||
        image->high - at < sizeof *entry)
        return NULL;
    return (RUNTIME_FUNCTION *)at;
}

static RUNTIME_FUNCTION *find_entry(const struct function_table *table,
                                    ULONGLONG pc)
{
    if (table->callback)
        return table->callback(pc, table->context);
    return table->sorted ? find_sorted(table, pc - table->base)
                         : find_any(table, pc - table->base);
}

/* The functions of one table may lie between those of another. */
RUNTIME_FUNCTION *functions_find(ULONGLONG pc, ULONGLONG *base,
                                 struct unwind_range *image)
{
    struct function_table table;
    RUNTIME_FUNCTION *entry = NULL;
    ULONG number;

    for (number = 0; !entry && find_table(pc, number, &table); number++)
        entry = find_entry(&table, pc);
    if (!entry)
        return NULL;
    *base = table.base;
    *image = table.range;
    if (table.identifier) {                     /* anywhere behind its base */
        image->low = table.base;
        image->high = table.base + (1ULL << 32);
    }
    return follow(entry, *base, image);
}

RUNTIME_FUNCTION *NTAPI RtlLookupFunctionEntry(
    ULONGLONG ControlPc, ULONGLONG *ImageBase,
    UNWIND_HISTORY_TABLE *HistoryTable __attribute__((unused)))
{
    struct unwind_range image;

    return functions_find(ControlPc, ImageBase, &image);
}

static struct function_table *new_table(ULONGLONG identifier, ULONGLONG base)
{
    struct function_table *table =
        RtlAllocateHeap(NtCurrentPeb()->ProcessHeap, HEAP_ZERO_MEMORY,
                        sizeof *table);

    if (table) {
        table->identifier = identifier;
        table->base = base;
    }
    return table;
}

/* The table stays the caller's; that it is sorted is seen here. */
BOOLEAN NTAPI RtlAddFunctionTable(RUNTIME_FUNCTION *FunctionTable,
                                  ULONG EntryCount, ULONGLONG BaseAddress)
{
    struct function_table *table;
    ULONG at, low = ~0u, high = 0;

    if (!FunctionTable || !EntryCount)
        return FALSE;
    table = new_table((ULONGLONG)FunctionTable, BaseAddress);
    if (!table)
        return FALSE;
    table->first = FunctionTable;
    table->count = EntryCount;
    table->sorted = TRUE;
    for (at = 0; at < EntryCount; at++) {
        const RUNTIME_FUNCTION *entry = &FunctionTable[at];

        if (entry->BeginAddress < high)
            table->sorted = FALSE;
        if (entry->BeginAddress < low)
            low = entry->BeginAddress;
        if (entry->EndAddress > high)
            high = entry->EndAddress;
    }
    table->range.low = BaseAddress + low;
    table->range.high = BaseAddress + high;
    insert(table);
    return TRUE;
}

#define CALLBACK_IDENTIFIER 3                  /* its lowest bits, in winnt.h */

BOOLEAN NTAPI RtlInstallFunctionTableCallback(
    ULONGLONG TableIdentifier, ULONGLONG BaseAddress, ULONG Length,
    PGET_RUNTIME_FUNCTION_CALLBACK Callback, void *Context,
    const WCHAR *OutOfProcessCallbackDll __attribute__((unused)))
{
    struct function_table *table;

    if ((TableIdentifier & CALLBACK_IDENTIFIER) != CALLBACK_IDENTIFIER ||
        !Callback)
        return FALSE;
    table = new_table(TableIdentifier, BaseAddress);
    if (!table)
        return FALSE;
    table->callback = Callback;
    table->context = Context;
    table->range.low = BaseAddress;
    table->range.high = BaseAddress + Length;
    insert(table);
    return TRUE;
}

/* FunctionTable: the table, or the callback's identifier. */
BOOLEAN NTAPI RtlDeleteFunctionTable(RUNTIME_FUNCTION *FunctionTable)
{
    struct function_table *found = NULL;
    LIST_ENTRY *at;

    RtlAcquireSRWLockExclusive(&lock);
    for (at = tables.Flink; at != &tables && FunctionTable && !found;
         at = at->Flink) {
        struct function_table *table =
            CONTAINING_RECORD(at, struct function_table, links);

        if (table->identifier == (ULONGLONG)FunctionTable)
            found = table;
    }
    if (found)
        unlink(found);
    RtlReleaseSRWLockExclusive(&lock);
    if (found)
        RtlFreeHeap(NtCurrentPeb()->ProcessHeap, 0, found);
    return found != NULL;
}
