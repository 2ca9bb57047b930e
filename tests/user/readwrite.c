/*
 * readwrite.c - NtReadVirtualMemory and NtWriteVirtualMemory: this process's
 * memory and another's, which is suspended before its first instruction.
 */
#include "test.h"

#include "child.h"
#include "facts.h"

#define SELF NtCurrentProcess()
#define IMAGE L"\\SystemRoot\\System32\\readwrite.exe"
#define LONG_SIZE 0x14000               /* more than the kernel's one piece */

static RTL_USER_PROCESS_INFORMATION other;
static UCHAR *own;                      /* LONG_SIZE bytes */
static UCHAR *theirs;                   /* the other's, three pages more */

static NTSTATUS copy_in(HANDLE process, const void *from, void *to,
                        SIZE_T size, SIZE_T *count)
{
    *count = 0xEEEE;
    return NtReadVirtualMemory(process, (void *)(ULONG_PTR)from, to, size,
                               count);
}

static NTSTATUS copy_out(HANDLE process, void *to, const void *from,
                         SIZE_T size, SIZE_T *count)
{
    *count = 0xEEEE;
    return NtWriteVirtualMemory(process, to, from, size, count);
}

static void *allocate(HANDLE process, SIZE_T size)
{
    void *base = NULL;

    CHECK_STATUS(NtAllocateVirtualMemory(process, &base, 0, &size,
                                         MEM_RESERVE | MEM_COMMIT,
                                         PAGE_READWRITE), STATUS_SUCCESS);
    return base;
}

static void protect(HANDLE process, void *page, ULONG new)
{
    SIZE_T size = PAGE_SIZE;
    ULONG old;

    CHECK_STATUS(NtProtectVirtualMemory(process, &page, &size, new, &old),
                 STATUS_SUCCESS);
}

static void fill(UCHAR seed)
{
    for (ULONG i = 0; i < LONG_SIZE; i++)
        own[i] = (UCHAR)(i * 7 + (i >> 8) + seed);
}

static BOOLEAN is_filled(SIZE_T from, SIZE_T to, UCHAR seed)
{
    for (SIZE_T i = from; i < to; i++) {
        if (own[i] != (UCHAR)(i * 7 + (i >> 8) + seed))
            return FALSE;
    }
    return TRUE;
}

/* There and back, at places that are not aligned to each other. */
static void check_whole(HANDLE process)
{
    SIZE_T count;

    fill(1);
    CHECK_STATUS(copy_out(process, theirs + 0x123, own, LONG_SIZE, &count),
                 STATUS_SUCCESS);
    CHECK(count == LONG_SIZE);
    memset(own, 0, LONG_SIZE);
    CHECK_STATUS(copy_in(process, theirs + 0x123, own, LONG_SIZE, &count),
                 STATUS_SUCCESS);
    CHECK(count == LONG_SIZE && is_filled(0, LONG_SIZE, 1));
    CHECK_STATUS(copy_in(process, theirs + 0x124, own, 1, &count),
                 STATUS_SUCCESS);
    CHECK(count == 1 && own[0] == 8);
    CHECK_STATUS(NtReadVirtualMemory(process, theirs + 0x123, own, 1, NULL),
                 STATUS_SUCCESS);
    CHECK(own[0] == 1);
}

/* A hole in what is read ends the copy there, to the byte. */
static void check_hole(HANDLE process, SIZE_T hole)
{
    SIZE_T start = 0x10, count;

    fill(2);
    CHECK_STATUS(copy_out(process, theirs + start, own, LONG_SIZE, &count),
                 STATUS_SUCCESS);
    protect(process, theirs + hole, PAGE_NOACCESS);
    memset(own, 0xEE, LONG_SIZE);
    CHECK_STATUS(copy_in(process, theirs + start, own, LONG_SIZE, &count),
                 STATUS_PARTIAL_COPY);
    CHECK_SAY(count == hole - start, "%Ix of %Ix", count, hole - start);
    CHECK(is_filled(0, count, 2) && own[count] == 0xEE);
    CHECK_STATUS(copy_in(process, theirs + hole, own, 8, &count),
                 STATUS_PARTIAL_COPY);
    CHECK(count == 0);

    /* Of what is written all must be there before the first byte goes. */
    memset(own, 0x55, LONG_SIZE);
    CHECK_STATUS(copy_out(process, theirs + start, own, LONG_SIZE, &count),
                 STATUS_ACCESS_VIOLATION);
    CHECK(count == 0);
    CHECK_STATUS(copy_in(process, theirs + start, own, 0x20, &count),
                 STATUS_SUCCESS);
    CHECK(is_filled(0, 0x20, 2));
    protect(process, theirs + hole, PAGE_READWRITE);
}

static void check_guard(HANDLE process)
{
    SIZE_T count;

    protect(process, theirs + PAGE_SIZE, PAGE_READWRITE | PAGE_GUARD);
    CHECK_STATUS(copy_in(process, theirs, own, 2 * PAGE_SIZE, &count),
                 STATUS_PARTIAL_COPY);
    CHECK(count == PAGE_SIZE);
    CHECK_STATUS(copy_in(process, theirs, own, 2 * PAGE_SIZE, &count),
                 STATUS_SUCCESS);
    protect(process, theirs, PAGE_READONLY);
    CHECK_STATUS(copy_out(process, theirs + 8, own, 1, &count),
                 STATUS_ACCESS_VIOLATION);
    protect(process, theirs, PAGE_READWRITE);
}

/* This side's memory is not the other's affair. */
static void check_own_side(HANDLE process)
{
    SIZE_T count;

    test_protect(own + PAGE_SIZE, 1, PAGE_READONLY);
    CHECK_STATUS(copy_in(process, theirs, own, 2 * PAGE_SIZE, &count),
                 STATUS_ACCESS_VIOLATION);
    CHECK(count == 0);
    test_protect(own + PAGE_SIZE, 1, PAGE_NOACCESS);
    CHECK_STATUS(copy_out(process, theirs, own, 2 * PAGE_SIZE, &count),
                 STATUS_PARTIAL_COPY);
    CHECK(count == PAGE_SIZE);
    test_protect(own + PAGE_SIZE, 1, PAGE_READWRITE);
}

/* Ranges, before the handle is looked at. */
static void check_ranges(void)
{
    static const struct {
        ULONG_PTR address;
        SIZE_T size;
    } bad[] = {
        { TOP + 1, 0 }, { TOP - 7, 9 }, { ~0ULL, 0 }, { ~0ULL, 2 },
        { KERNEL_ADDRESS, 1 }, { 0x10000, ~0ULL - 0x1000 },
    };
    SIZE_T count = 5;

    for (ULONG i = 0; i < ARRAY_SIZE(bad); i++) {
        void *address = (void *)bad[i].address;

        CHECK_STATUS(NtReadVirtualMemory((HANDLE)0x999, address, own,
                                         bad[i].size, &count),
                     STATUS_ACCESS_VIOLATION);
        CHECK_STATUS(NtReadVirtualMemory((HANDLE)0x999, own, address,
                                         bad[i].size, &count),
                     STATUS_ACCESS_VIOLATION);
        CHECK_STATUS(NtWriteVirtualMemory((HANDLE)0x999, address, own,
                                          bad[i].size, &count),
                     STATUS_ACCESS_VIOLATION);
    }
    CHECK(count == 5);
    CHECK_STATUS(NtReadVirtualMemory(SELF, own, own, 1, (SIZE_T *)8),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(copy_in((HANDLE)0x999, own, own, 0, &count), STATUS_SUCCESS);
    CHECK(count == 0);
    CHECK_STATUS(copy_in((HANDLE)0x999, own, own, 1, &count),
                 STATUS_INVALID_HANDLE);
    CHECK(count == 0);
}

static void check_rights(void)
{
    static const ACCESS_MASK rights[] = { PROCESS_VM_READ, PROCESS_VM_WRITE,
                                          PROCESS_VM_OPERATION };
    SIZE_T count;

    for (ULONG i = 0; i < ARRAY_SIZE(rights); i++) {
        HANDLE handle;

        CHECK_STATUS(NtDuplicateObject(SELF, other.ProcessHandle, SELF,
                                       &handle, rights[i], 0, 0),
                     STATUS_SUCCESS);
        CHECK_STATUS(copy_in(handle, theirs, own, 8, &count),
                     rights[i] == PROCESS_VM_READ ? STATUS_SUCCESS
                                                  : STATUS_ACCESS_DENIED);
        CHECK_STATUS(copy_out(handle, theirs, own, 8, &count),
                     rights[i] == PROCESS_VM_WRITE ? STATUS_SUCCESS
                                                   : STATUS_ACCESS_DENIED);
        NtClose(handle);
    }
    CHECK_STATUS(copy_in(other.ThreadHandle, theirs, own, 8, &count),
                 STATUS_OBJECT_TYPE_MISMATCH);
}

/* What the other's own page says of it: the address spaces are two. */
static void check_peb(void)
{
    PROCESS_BASIC_INFORMATION basic;
    PEB peb;
    SIZE_T count;

    NtQueryInformationProcess(other.ProcessHandle, ProcessBasicInformation,
                              &basic, sizeof basic, NULL);
    CHECK_STATUS(copy_in(other.ProcessHandle, basic.PebBaseAddress, &peb,
                         sizeof peb, &count), STATUS_SUCCESS);
    CHECK(count == sizeof peb && peb.OSBuildNumber == VERSION_BUILD);
    CHECK(peb.ProcessParameters != NULL);
}

/* Its memory goes with its last thread, whether handles are left or not. */
static void check_terminated(void)
{
    HANDLE handle;
    SIZE_T count;

    NtDuplicateObject(SELF, other.ProcessHandle, SELF, &handle, 0, 0,
                      DUPLICATE_SAME_ACCESS);
    NtTerminateProcess(other.ProcessHandle, 5);
    CHECK_STATUS(end_child(&other), 5);
    CHECK_STATUS(copy_in(handle, theirs, own, 8, &count),
                 STATUS_PROCESS_IS_TERMINATING);
    CHECK(count == 0);
    CHECK_STATUS(copy_out(handle, theirs, own, 8, &count),
                 STATUS_PROCESS_IS_TERMINATING);
    NtClose(handle);
}

/* ---- one that ends while it is read ---- */

static volatile BOOLEAN done;
static ULONG partial;

static void NTAPI reader(void *parameter)
{
    UCHAR *to = test_pages(LONG_SIZE / PAGE_SIZE);
    NTSTATUS status;
    SIZE_T count;

    (void)parameter;
    do {
        status = copy_in(other.ProcessHandle, theirs, to, LONG_SIZE, &count);
        if (status == STATUS_PARTIAL_COPY)
            partial++;
        else
            CHECK(status == STATUS_PROCESS_IS_TERMINATING ||
                  count == LONG_SIZE);
    } while (status != STATUS_PROCESS_IS_TERMINATING);
    done = TRUE;
}

static void check_race(void)
{
    HANDLE thread;

    if (!CHECK_STATUS(start_child(IMAGE, &other), STATUS_SUCCESS))
        return;
    theirs = allocate(other.ProcessHandle, LONG_SIZE);
    CHECK_STATUS(RtlCreateUserThread(SELF, NULL, FALSE, 0, 0, 0, reader, NULL,
                                     &thread, NULL), STATUS_SUCCESS);
    for (ULONG i = 0; i < 50; i++)
        NtYieldExecution();
    NtTerminateProcess(other.ProcessHandle, 6);
    NtWaitForSingleObject(thread, FALSE, NULL);
    CHECK(done && partial == 0);
    NtClose(thread);
    CHECK_STATUS(end_child(&other), 6);
}

static void check_process(HANDLE process)
{
    theirs = allocate(process, LONG_SIZE + 3 * PAGE_SIZE);
    check_whole(process);
    check_hole(process, PAGE_SIZE);
    check_hole(process, 4 * PAGE_SIZE);
    check_hole(process, 5 * PAGE_SIZE);
    check_guard(process);
    check_own_side(process);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    if (*test_words() != '\0')
        return STATUS_UNSUCCESSFUL;     /* it never gets here */
    own = allocate(SELF, LONG_SIZE);
    check_process(SELF);
    check_ranges();
    if (!CHECK_STATUS(start_child(IMAGE, &other), STATUS_SUCCESS))
        return test_end();
    check_process(other.ProcessHandle);
    check_rights();
    check_peb();
    check_terminated();
    check_race();
    return test_end();
}
