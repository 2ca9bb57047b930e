/*
 * handle.c - the handle table through all its levels, and without memory.
 */
#include "unit.h"

#include <ex.h>
#include <mm.h>

#define MANY 140000                     /* past 512 pages: three levels */

static ULONG allocations;               /* alive */
static LONG allocations_left = -1;      /* before there is no memory */
static ULONG closed;

/* The pool, page aligned from a page on. */
void *ExAllocatePool2(ULONGLONG flags, SIZE_T size, ULONG tag)
{
    void *result;

    (void)flags;
    (void)tag;
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    result = aligned_alloc(size >= PAGE_SIZE ? PAGE_SIZE : 16,
                           ALIGN_UP(size, 16));
    memset(result, 0, size);
    allocations++;
    return result;
}

void ExFreePoolWithTag(void *address, ULONG tag)
{
    (void)tag;
    allocations--;
    free(address);
}

/* The processor's level, as the lock's holder must leave it. */
static KIRQL level;

KIRQL KfRaiseIrql(KIRQL irql)
{
    KIRQL old = level;

    assert_true(irql >= old);
    level = irql;
    return old;
}

void KfLowerIrql(KIRQL irql)
{
    assert_true(irql <= level);
    level = irql;
}

static HANDLE create(HANDLE_TABLE *table, void *body, ACCESS_MASK access)
{
    HANDLE handle = ExCreateHandle(table, body, access, 0);

    assert_int_equal(level, PASSIVE_LEVEL);
    return handle;
}

/* The entry after its lock was taken and given back. */
static HANDLE_TABLE_ENTRY *find(HANDLE_TABLE *table, HANDLE handle)
{
    KIRQL irql;
    HANDLE_TABLE_ENTRY *entry = ExMapHandleToPointer(table, handle, &irql);

    if (entry) {
        assert_int_equal(level, DISPATCH_LEVEL);
        assert_int_equal(entry->LowValue & 1, 0);
        ExUnlockHandleTableEntry(entry, irql);
        assert_int_equal(entry->LowValue & 1, 1);
    }
    assert_int_equal(level, PASSIVE_LEVEL);
    return entry;
}

static void close_handle(HANDLE_TABLE *table, HANDLE handle)
{
    KIRQL irql;
    HANDLE_TABLE_ENTRY *entry = ExMapHandleToPointer(table, handle, &irql);

    assert_non_null(entry);
    ExDestroyHandle(table, entry, irql);
    assert_int_equal(level, PASSIVE_LEVEL);
}

static void *object(ULONG_PTR number)
{
    return (void *)(0xFFFFF88000000000 + number * 16);
}

static void count_close(void *body)
{
    assert_int_equal((ULONG_PTR)body & 15, 0);
    closed++;
}

static void destroy(HANDLE_TABLE *table, ULONG expected)
{
    closed = 0;
    ex_sweep_handle_table(table, count_close);
    assert_int_equal(closed, expected);
    assert_int_equal(table->FreeLists[0].HandleCount, 0);
    assert_null(create(table, object(1), 1));
    ex_free_handle_table(table);
    assert_int_equal(allocations, 0);
}

static void first_handles(void **state)
{
    HANDLE_TABLE *table = ExCreateHandleTable(NULL);

    (void)state;
    for (ULONG_PTR i = 1; i < 256; i++)
        assert_int_equal((ULONG_PTR)create(table, object(i), 1),
                         i * 4);
    assert_int_equal((ULONG_PTR)create(table, object(256), 1), 0x404);
    destroy(table, 256);
}

static void three_levels(void **state)
{
    HANDLE_TABLE *table = ExCreateHandleTable(NULL);
    HANDLE last = NULL;

    (void)state;
    for (ULONG_PTR i = 0; i < MANY; i++) {
        HANDLE handle = create(table, object(i), (ACCESS_MASK)i);
        assert_true((ULONG_PTR)handle > (ULONG_PTR)last);
        assert_true((ULONG_PTR)handle % 4 == 0);
        assert_true((ULONG_PTR)handle % 1024 != 0);
        last = handle;
    }
    assert_int_equal(table->TableCode & 3, 2);
    for (ULONG_PTR i = 0, handle = 4; i < MANY; i++, handle += 4) {
        HANDLE_TABLE_ENTRY *entry;

        if (handle % 1024 == 0)
            handle += 4;
        entry = find(table, (HANDLE)handle);
        assert_non_null(entry);
        assert_ptr_equal(ex_entry_object(entry), object(i));
        assert_int_equal(ex_entry_access(entry), i & 0x1FFFFFF);
    }
    destroy(table, MANY);
}

static void handles_that_are_none(void **state)
{
    HANDLE_TABLE *table = ExCreateHandleTable(NULL);
    static const ULONG_PTR bad[] = {
        0, 1, 2, 3, 0x400, 0x401, 0x404, 0x1000, 0x7FFFFFFC, 0x80000000,
        0xFFFFFFFC, 0x100000004, 0x8000000000000004, ~0ULL, ~3ULL,
    };

    (void)state;
    assert_ptr_equal(create(table, object(1), 1), (HANDLE)4);
    for (ULONG i = 0; i < ARRAY_SIZE(bad); i++)
        assert_null(find(table, (HANDLE)bad[i]));
    for (ULONG_PTR handle = 8; handle < 0x400; handle += 4)
        assert_null(find(table, (HANDLE)handle));
    /* The two low bits are the caller's. */
    for (ULONG_PTR handle = 4; handle < 8; handle++)
        assert_non_null(find(table, (HANDLE)handle));
    destroy(table, 1);
}

static void a_closed_handle_is_the_next(void **state)
{
    HANDLE_TABLE *table = ExCreateHandleTable(NULL);
    HANDLE a, b;

    (void)state;
    a = create(table, object(1), 1);
    b = create(table, object(2), 1);
    close_handle(table, a);
    assert_null(find(table, a));
    assert_ptr_equal(create(table, object(3), 1), a);
    assert_ptr_equal(ex_entry_object(find(table, b)),
                     object(2));
    assert_int_equal(table->FreeLists[0].HandleCount, 2);
    destroy(table, 2);
}

static void random_use(void **state)
{
    static HANDLE handles[3000];
    HANDLE_TABLE *table = ExCreateHandleTable(NULL);
    ULONGLONG seed = 53;
    ULONG used = 0;

    (void)state;
    memset(handles, 0, sizeof handles);
    for (ULONG i = 0; i < 100000; i++) {
        ULONG at = (ULONG)(unit_random(&seed) >> 8) % ARRAY_SIZE(handles);
        HANDLE_TABLE_ENTRY *entry;

        if (!handles[at]) {
            handles[at] = create(table, object(at), at);
            assert_non_null(handles[at]);
            used++;
            continue;
        }
        entry = find(table, handles[at]);
        assert_ptr_equal(ex_entry_object(entry), object(at));
        close_handle(table, handles[at]);
        assert_null(find(table, handles[at]));
        handles[at] = NULL;
        used--;
    }
    destroy(table, used);
}

static ULONG_PTR wanted;

/* Objects with an even number and OBJ_INHERIT. */
static BOOLEAN keep_even(struct _EPROCESS *process, void *body,
                         ULONG attributes)
{
    assert_int_equal(level, DISPATCH_LEVEL);
    assert_ptr_equal(process, (void *)&wanted);
    return (attributes & OBJ_INHERIT) && !((ULONG_PTR)body & 16);
}

/* Copies have their handle, the others' values are free, lowest first. */
static void a_copy(void **state)
{
    HANDLE_TABLE *table = ExCreateHandleTable(NULL), *copy;
    ULONG kept = 0;

    (void)state;
    for (ULONG_PTR i = 0; i < 2000; i++)
        assert_non_null(ExCreateHandle(table, object(i), (ACCESS_MASK)i,
                                       i % 3 ? OBJ_INHERIT : 0));
    copy = ExDupHandleTable((struct _EPROCESS *)&wanted, table, keep_even);
    assert_non_null(copy);
    for (ULONG_PTR i = 0, handle = 4; i < 2000; i++, handle += 4) {
        HANDLE_TABLE_ENTRY *entry;

        if (handle % 1024 == 0)
            handle += 4;
        entry = find(copy, (HANDLE)handle);
        if (i % 3 == 0 || i % 2) {
            assert_null(entry);
            continue;
        }
        kept++;
        assert_ptr_equal(ex_entry_object(entry), object(i));
        assert_int_equal(ex_entry_access(entry), i);
        assert_int_equal(ex_entry_attributes(entry), OBJ_INHERIT);
    }
    assert_int_equal(copy->FreeLists[0].HandleCount, kept);
    assert_ptr_equal(create(copy, object(1), 1), (HANDLE)4);
    assert_ptr_equal(create(copy, object(1), 1), (HANDLE)8);
    assert_ptr_equal(create(copy, object(1), 1), (HANDLE)16);
    closed = 0;
    ex_sweep_handle_table(copy, count_close);
    assert_int_equal(closed, kept + 3);
    ex_free_handle_table(copy);
    destroy(table, 2000);
}

/* Attributes change under the lock; what is beside them stays. */
static void attributes_of_a_handle(void **state)
{
    HANDLE_TABLE *table = ExCreateHandleTable(NULL);
    HANDLE handle = ExCreateHandle(table, object(7), 0x1FFFFFF, 0);
    KIRQL irql;

    (void)state;
    for (ULONG i = 0; i <= EX_HANDLE_ATTRIBUTES; i++) {
        HANDLE_TABLE_ENTRY *entry = ExMapHandleToPointer(table, handle,
                                                         &irql);

        ex_set_entry_attributes(entry, i);
        ExUnlockHandleTableEntry(entry, irql);
        assert_int_equal(ex_entry_attributes(entry), i);
        assert_ptr_equal(ex_entry_object(entry), object(7));
        assert_int_equal(ex_entry_access(entry), 0x1FFFFFF);
    }
    destroy(table, 1);
}

static void no_memory_for_a_table(void **state)
{
    (void)state;
    for (allocations_left = 0; allocations_left < 2; ) {
        LONG before = allocations_left;
        assert_null(ExCreateHandleTable(NULL));
        assert_int_equal(allocations, 0);
        allocations_left = before + 1;
    }
    allocations_left = -1;
}

/* Memory runs out at each place where the table grows, then comes back. */
static void no_memory_to_grow(void **state)
{
    HANDLE_TABLE *table = ExCreateHandleTable(NULL);
    ULONG made = 0, failures = 0;

    (void)state;
    while (made < MANY) {
        allocations_left = (LONG)(failures % 3);
        if (create(table, object(made), 1)) {
            made++;
            continue;
        }
        failures++;
    }
    allocations_left = -1;
    assert_true(failures > 3);
    destroy(table, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_handles),
        cmocka_unit_test(three_levels),
        cmocka_unit_test(handles_that_are_none),
        cmocka_unit_test(a_closed_handle_is_the_next),
        cmocka_unit_test(random_use),
        cmocka_unit_test(a_copy),
        cmocka_unit_test(attributes_of_a_handle),
        cmocka_unit_test(no_memory_for_a_table),
        cmocka_unit_test(no_memory_to_grow),
    };
    return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
