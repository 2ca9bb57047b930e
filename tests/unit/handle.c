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
    ex_destroy_handle_table(table, count_close);
    assert_int_equal(closed, expected);
    assert_int_equal(allocations, 0);
}

static void first_handles(void **state)
{
    HANDLE_TABLE *table = ExCreateHandleTable(NULL);

    (void)state;
    for (ULONG_PTR i = 1; i < 256; i++)
        assert_int_equal((ULONG_PTR)ExCreateHandle(table, object(i), 1),
                         i * 4);
    assert_int_equal((ULONG_PTR)ExCreateHandle(table, object(256), 1), 0x404);
    destroy(table, 256);
}

static void three_levels(void **state)
{
    HANDLE_TABLE *table = ExCreateHandleTable(NULL);
    HANDLE last = NULL;

    (void)state;
    for (ULONG_PTR i = 0; i < MANY; i++) {
        HANDLE handle = ExCreateHandle(table, object(i), (ACCESS_MASK)i);
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
        entry = ExMapHandleToPointer(table, (HANDLE)handle);
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
    assert_ptr_equal(ExCreateHandle(table, object(1), 1), (HANDLE)4);
    for (ULONG i = 0; i < ARRAY_SIZE(bad); i++)
        assert_null(ExMapHandleToPointer(table, (HANDLE)bad[i]));
    for (ULONG_PTR handle = 8; handle < 0x400; handle += 4)
        assert_null(ExMapHandleToPointer(table, (HANDLE)handle));
    /* The two low bits are the caller's. */
    for (ULONG_PTR handle = 4; handle < 8; handle++)
        assert_non_null(ExMapHandleToPointer(table, (HANDLE)handle));
    destroy(table, 1);
}

static void a_closed_handle_is_the_next(void **state)
{
    HANDLE_TABLE *table = ExCreateHandleTable(NULL);
    HANDLE a, b;

    (void)state;
    a = ExCreateHandle(table, object(1), 1);
    b = ExCreateHandle(table, object(2), 1);
    ExDestroyHandle(table, ExMapHandleToPointer(table, a));
    assert_null(ExMapHandleToPointer(table, a));
    assert_ptr_equal(ExCreateHandle(table, object(3), 1), a);
    assert_ptr_equal(ex_entry_object(ExMapHandleToPointer(table, b)),
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
            handles[at] = ExCreateHandle(table, object(at), at);
            assert_non_null(handles[at]);
            used++;
            continue;
        }
        entry = ExMapHandleToPointer(table, handles[at]);
        assert_ptr_equal(ex_entry_object(entry), object(at));
        ExDestroyHandle(table, entry);
        assert_null(ExMapHandleToPointer(table, handles[at]));
        handles[at] = NULL;
        used--;
    }
    destroy(table, used);
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
        if (ExCreateHandle(table, object(made), 1)) {
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
        cmocka_unit_test(no_memory_for_a_table),
        cmocka_unit_test(no_memory_to_grow),
    };
    return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
