/*
 * semaphores.c - semaphore objects: every status of their services, and
 * counting.
 */
#include "objects.h"

#define MAXIMUM 5
#define MOST 0x7FFFFFFF

static NTSTATUS create(HANDLE *handle, ACCESS_MASK access,
                       OBJECT_ATTRIBUTES *attributes)
{
    return NtCreateSemaphore(handle, access, attributes, 0, MAXIMUM);
}

static const struct kind kind = {
    "semaphore", create, NtOpenSemaphore, NtQuerySemaphore,
    SEMAPHORE_ALL_ACCESS, sizeof(SEMAPHORE_BASIC_INFORMATION), NtOpenEvent };

static void check_count(HANDLE semaphore, LONG count, LONG maximum)
{
    SEMAPHORE_BASIC_INFORMATION basic;

    memset(&basic, 0xEE, sizeof basic);
    CHECK_STATUS(NtQuerySemaphore(semaphore, SemaphoreBasicInformation,
                                  &basic, sizeof basic, NULL),
                 STATUS_SUCCESS);
    CHECK_SAY(basic.CurrentCount == count && basic.MaximumCount == maximum,
              "%d of %d", basic.CurrentCount, basic.MaximumCount);
}

static void check_limits(void)
{
    static const struct {
        LONG count, maximum;
        BOOLEAN good;
    } rows[] = {
        { 0, 1, TRUE }, { 1, 1, TRUE }, { 0, MOST, TRUE },
        { MOST, MOST, TRUE }, { 2, 1, FALSE }, { 0, 0, FALSE },
        { -1, 1, FALSE }, { 0, -1, FALSE }, { -2, -1, FALSE },
        { (LONG)0x80000000, MOST, FALSE }, { MOST, MOST - 1, FALSE },
    };
    HANDLE semaphore;

    for (ULONG i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK_STATUS(NtCreateSemaphore(&semaphore, SEMAPHORE_ALL_ACCESS, NULL,
                                       rows[i].count, rows[i].maximum),
                     rows[i].good ? STATUS_SUCCESS
                                  : STATUS_INVALID_PARAMETER);
        if (rows[i].good) {
            check_count(semaphore, rows[i].count, rows[i].maximum);
            NtClose(semaphore);
        }
    }
    CHECK_STATUS(NtCreateSemaphore(NULL, SEMAPHORE_ALL_ACCESS, NULL, 2, 1),
                 STATUS_ACCESS_VIOLATION);
}

static void check_release(void)
{
    HANDLE semaphore = make(&kind, SEMAPHORE_ALL_ACCESS);
    LONG previous = 77;

    CHECK_STATUS(NtReleaseSemaphore(semaphore, 2, &previous),
                 STATUS_SUCCESS);
    CHECK(previous == 0);
    CHECK_STATUS(NtReleaseSemaphore(semaphore, 3, &previous),
                 STATUS_SUCCESS);
    CHECK(previous == 2);
    check_count(semaphore, MAXIMUM, MAXIMUM);
    previous = 77;
    CHECK_STATUS(NtReleaseSemaphore(semaphore, 1, &previous),
                 STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    CHECK_STATUS(NtReleaseSemaphore(semaphore, MOST, &previous),
                 STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    CHECK(previous == 77);
    check_count(semaphore, MAXIMUM, MAXIMUM);
    for (LONG i = MAXIMUM; i > 0; i--) {
        check_count(semaphore, i, MAXIMUM);
        CHECK_STATUS(poll(semaphore), STATUS_WAIT_0);
    }
    CHECK_STATUS(poll(semaphore), STATUS_TIMEOUT);
    CHECK_STATUS(NtReleaseSemaphore(semaphore, MAXIMUM + 1, NULL),
                 STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    CHECK_STATUS(poll(semaphore), STATUS_TIMEOUT);
    NtClose(semaphore);
}

static void check_refusals(void)
{
    HANDLE semaphore = make(&kind, SEMAPHORE_ALL_ACCESS);
    HANDLE reader = make(&kind, SEMAPHORE_QUERY_STATE | SYNCHRONIZE);
    LONG previous = 77;

    CHECK_STATUS(NtReleaseSemaphore(semaphore, 0, &previous),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtReleaseSemaphore(semaphore, -1, &previous),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtReleaseSemaphore(NO_HANDLE, 0, &previous),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtReleaseSemaphore(NO_HANDLE, 0, UNMAPPED),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtReleaseSemaphore(semaphore, 1, UNMAPPED),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtReleaseSemaphore(NO_HANDLE, 1, &previous),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtReleaseSemaphore(NtCurrentThread(), 1, &previous),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtReleaseSemaphore(reader, 1, &previous),
                 STATUS_ACCESS_DENIED);
    CHECK(previous == 77);
    check_count(semaphore, 0, MAXIMUM);
    NtClose(semaphore);
    NtClose(reader);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_kind(&kind);
    check_limits();
    check_release();
    check_refusals();
    return test_end();
}
