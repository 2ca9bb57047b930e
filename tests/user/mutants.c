/*
 * mutants.c - mutant objects: every status of their services, and a thread
 * that takes one again and again.
 */
#include "objects.h"

#define TIMES 40

static NTSTATUS create(HANDLE *handle, ACCESS_MASK access,
                       OBJECT_ATTRIBUTES *attributes)
{
    return NtCreateMutant(handle, access, attributes, FALSE);
}

static const struct kind kind = {
    "mutant", create, NtOpenMutant, NtQueryMutant, MUTANT_ALL_ACCESS,
    sizeof(MUTANT_BASIC_INFORMATION), NtOpenSemaphore };

static void check_count(HANDLE mutant, LONG count)
{
    const CLIENT_ID *me = &NtCurrentTeb()->ClientId;
    MUTANT_BASIC_INFORMATION basic;
    MUTANT_OWNER_INFORMATION owner;
    ULONG length = 0;

    memset(&basic, 0xEE, sizeof basic);
    memset(&owner, 0xEE, sizeof owner);
    CHECK_STATUS(NtQueryMutant(mutant, MutantBasicInformation, &basic,
                               sizeof basic, NULL), STATUS_SUCCESS);
    CHECK_SAY(basic.CurrentCount == count, "count %d", basic.CurrentCount);
    CHECK(basic.OwnedByCaller == (count <= 0) && !basic.AbandonedState);
    CHECK_STATUS(NtQueryMutant(mutant, MutantOwnerInformation, &owner,
                               sizeof owner, &length), STATUS_SUCCESS);
    CHECK(length == sizeof owner);
    CHECK(owner.ClientId.UniqueThread ==
          (count <= 0 ? me->UniqueThread : NULL));
    CHECK(owner.ClientId.UniqueProcess ==
          (count <= 0 ? me->UniqueProcess : NULL));
}

static void check_recursion(void)
{
    HANDLE mutant = make(&kind, MUTANT_ALL_ACCESS);
    LONG previous = 77;

    check_count(mutant, 1);
    for (LONG i = 0; i < TIMES; i++) {
        CHECK_STATUS(poll(mutant), STATUS_WAIT_0);
        check_count(mutant, -i);
    }
    for (LONG i = TIMES - 1; i >= 0; i--) {
        CHECK_STATUS(NtReleaseMutant(mutant, &previous), STATUS_SUCCESS);
        CHECK_SAY(previous == -i, "previous %d", previous);
        check_count(mutant, 1 - i);
    }
    previous = 77;
    CHECK_STATUS(NtReleaseMutant(mutant, &previous), STATUS_MUTANT_NOT_OWNED);
    CHECK(previous == 77);
    NtClose(mutant);
}

/* Whoever makes one may own it from the start, but not who opens it. */
static void check_initial_owner(void)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name,
                                     .Attributes = OBJ_OPENIF };
    HANDLE first, second;

    RtlInitUnicodeString(&name, L"\\BaseNamedObjects\\owned");
    CHECK_STATUS(NtCreateMutant(&first, MUTANT_ALL_ACCESS, &attributes, TRUE),
                 STATUS_SUCCESS);
    check_count(first, 0);
    CHECK_STATUS(NtCreateMutant(&second, MUTANT_ALL_ACCESS, &attributes,
                                TRUE), STATUS_OBJECT_NAME_EXISTS);
    check_count(second, 0);
    CHECK_STATUS(NtReleaseMutant(second, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtReleaseMutant(first, NULL), STATUS_MUTANT_NOT_OWNED);
    CHECK_STATUS(NtCreateMutant(&second, MUTANT_ALL_ACCESS, &attributes,
                                TRUE), STATUS_OBJECT_NAME_EXISTS);
    check_count(second, 1);
    NtClose(first);
    NtClose(second);
}

/* Owned ones whose last handle goes leave the thread's list. */
static void check_deletion(void)
{
    HANDLE mutants[3];

    for (ULONG i = 0; i < ARRAY_SIZE(mutants); i++)
        NtCreateMutant(&mutants[i], MUTANT_ALL_ACCESS, NULL, TRUE);
    CHECK_STATUS(NtClose(mutants[1]), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(mutants[0]), STATUS_SUCCESS);
    check_count(mutants[2], 0);
    NtClose(mutants[2]);
}

static void check_refusals(void)
{
    HANDLE mutant = make(&kind, SYNCHRONIZE);
    LONG previous = 77;

    CHECK_STATUS(NtReleaseMutant(NO_HANDLE, &previous),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtReleaseMutant(NtCurrentThread(), &previous),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtReleaseMutant(mutant, UNMAPPED), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtReleaseMutant(mutant, &previous),
                 STATUS_MUTANT_NOT_OWNED);
    CHECK(previous == 77);

    /* To give back what one owns takes no right. */
    CHECK_STATUS(poll(mutant), STATUS_WAIT_0);
    CHECK_STATUS(NtReleaseMutant(mutant, &previous), STATUS_SUCCESS);
    CHECK(previous == 0);
    NtClose(mutant);
}

static void check_owner_query(void)
{
    HANDLE mutant = make(&kind, MUTANT_ALL_ACCESS);
    UCHAR buffer[sizeof(MUTANT_OWNER_INFORMATION) + 8];

    CHECK_STATUS(NtQueryMutant(mutant, MutantOwnerInformation, buffer,
                               sizeof(MUTANT_OWNER_INFORMATION) - 1, NULL),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(NtQueryMutant(mutant, MutantOwnerInformation, NULL,
                               sizeof(MUTANT_OWNER_INFORMATION), NULL),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtQueryMutant(NO_HANDLE, MutantOwnerInformation, buffer,
                               sizeof(MUTANT_OWNER_INFORMATION), NULL),
                 STATUS_INVALID_HANDLE);
    NtClose(mutant);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_kind(&kind);
    check_recursion();
    check_initial_owner();
    check_deletion();
    check_refusals();
    check_owner_query();
    return test_end();
}
