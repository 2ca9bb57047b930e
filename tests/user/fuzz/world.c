/*
 * world.c - memory and handles whose state is known, made anew each epoch.
 *
 * The arena has a page of each kind that a pointer may lead to.  The handles
 * are protected: whatever is called with them, they stay.  A thread that waits
 * for nothing is there to be suspended, alerted and looked into.
 */
#include "fuzz.h"

#include "facts.h"

#define MOST_HANDLES 48
#define STACK 0x4000

UCHAR *arena, *playground;
UCHAR arena_copy[ARENA_SIZE];
struct known_handle known_handles[MOST_HANDLES];
ULONG known_handle_count;
ULONG_PTR good_handles[OBJECTS];
HANDLE victim;

BOOLEAN world_is_debugged;

static HANDLE never;                            /* an event: nobody sets it */
static ULONG handles_before;
static SIZE_T space_before;

static const UCHAR code[] = { 0xC3 };           /* ret */

/* ---- Memory ---- */

static void protect(ULONG page, ULONG protection)
{
    void *base = arena + page * PAGE_SIZE;
    SIZE_T size = PAGE_SIZE;
    ULONG before;

    CHECK_STATUS(NtProtectVirtualMemory(NtCurrentProcess(), &base, &size,
                                        protection, &before),
                 STATUS_SUCCESS);
}

void world_guard_again(void)
{
    protect(ARENA_GUARD, PAGE_READWRITE | PAGE_GUARD);
}

static UCHAR *reserve(SIZE_T size)
{
    void *base = NULL;

    CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size,
                                         MEM_RESERVE, PAGE_READWRITE),
                 STATUS_SUCCESS);
    return base;
}

static void commit(UCHAR *at, SIZE_T size)
{
    void *base = at;

    CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size,
                                         MEM_COMMIT, PAGE_READWRITE),
                 STATUS_SUCCESS);
}

static void create_arena(void)
{
    arena = reserve(ARENA_SIZE);
    commit(arena, ARENA_RESERVED * PAGE_SIZE);
    commit(arena + ARENA_CODE * PAGE_SIZE, PAGE_SIZE);
    memcpy(arena + ARENA_CODE * PAGE_SIZE, code, sizeof code);
    protect(ARENA_HOLE, PAGE_NOACCESS);
    protect(ARENA_HOLE2, PAGE_NOACCESS);
    protect(ARENA_READ, PAGE_READONLY);
    protect(ARENA_CODE, PAGE_EXECUTE_READ);
    world_guard_again();
}

enum protection { NO_ACCESS, READABLE, WRITABLE, GUARDED };

static enum protection arena_protection(ULONG page)
{
    static const UCHAR kinds[ARENA_PAGES] = {
        [ARENA_SLOTS ... ARENA_HOLE - 1] = WRITABLE,
        [ARENA_EDGE] = WRITABLE, [ARENA_READ] = READABLE,
        [ARENA_GUARD] = GUARDED, [ARENA_EDGE2] = WRITABLE,
        [ARENA_CODE] = READABLE,
    };

    return kinds[page];
}

static BOOLEAN is_within(ULONG_PTR page, const void *from, SIZE_T size)
{
    return page - ((ULONG_PTR)from & ~(ULONG_PTR)(PAGE_SIZE - 1)) < size;
}

/* Memory that is not this file's: the kernel tells. */
static enum protection strange_protection(ULONG_PTR page)
{
    MEMORY_BASIC_INFORMATION info;

    if (page < 0x10000 || page > TOP ||
        page - FREE_ADDRESS < 0x10000 ||
        !NT_SUCCESS(NtQueryVirtualMemory(NtCurrentProcess(), (void *)page,
                                         MemoryBasicInformation, &info,
                                         sizeof info, NULL)) ||
        info.State != MEM_COMMIT || info.Protect & PAGE_NOACCESS)
        return NO_ACCESS;
    if (info.Protect & PAGE_GUARD)
        return GUARDED;
    return info.Protect & (PAGE_READWRITE | PAGE_WRITECOPY |
                           PAGE_EXECUTE_WRITECOPY) ? WRITABLE : READABLE;
}

static enum protection protection_of(ULONG_PTR page)
{
    if (is_within(page, arena, ARENA_SIZE))
        return arena_protection((ULONG)(page - (ULONG_PTR)arena) / PAGE_SIZE);
    if (is_within(page, NtCurrentTeb(), PAGE_SIZE))
        return WRITABLE;
    return page == USER_SHARED_DATA ? READABLE : strange_protection(page);
}

NTSTATUS memory_status(ULONG_PTR address, ULONG_PTR size, ULONG alignment,
                       BOOLEAN write)
{
    ULONG_PTR page = address & ~(ULONG_PTR)(PAGE_SIZE - 1);

    if (size == 0)
        return STATUS_SUCCESS;
    if (address & (alignment - 1))
        return STATUS_DATATYPE_MISALIGNMENT;
    if (address + size < address || address + size - 1 > TOP)
        return STATUS_ACCESS_VIOLATION;
    for (; page < address + size; page += PAGE_SIZE) {
        switch (protection_of(page)) {
        case GUARDED:
            return STATUS_GUARD_PAGE_VIOLATION;
        case NO_ACCESS:
            return STATUS_ACCESS_VIOLATION;
        case READABLE:
            if (write)
                return STATUS_ACCESS_VIOLATION;
            break;
        case WRITABLE:
            break;
        }
    }
    return STATUS_SUCCESS;
}

/* The playground, places where nothing is, and addresses that are none. */
BOOLEAN world_is_free_to_change(ULONG_PTR address, ULONG_PTR size)
{
    ULONG_PTR end = address + size, play = (ULONG_PTR)playground;

    if (address > TOP || address == 0 || end < address)
        return TRUE;
    if (address >= play && end <= play + PLAYGROUND_SIZE)
        return TRUE;
    return address < 0x10000 ? end < 0x10000
                             : address >= FREE_ADDRESS &&
                                   end <= FREE_ADDRESS + 0x10000;
}

/* Bytes in use, but for the playground's. */
SIZE_T world_space(void)
{
    MEMORY_BASIC_INFORMATION info;
    ULONG_PTR at = 0;
    SIZE_T space = 0;

    while (at < TOP &&
           NT_SUCCESS(NtQueryVirtualMemory(NtCurrentProcess(), (void *)at,
                                           MemoryBasicInformation, &info,
                                           sizeof info, NULL))) {
        if (info.State != MEM_FREE &&
            at - (ULONG_PTR)playground >= PLAYGROUND_SIZE)
            space += info.RegionSize;
        at += info.RegionSize;
    }
    return space;
}

static void clean_playground(void)
{
    MEMORY_BASIC_INFORMATION info;
    UCHAR *at = playground;

    while (at < playground + PLAYGROUND_SIZE &&
           NT_SUCCESS(NtQueryVirtualMemory(NtCurrentProcess(), at,
                                           MemoryBasicInformation, &info,
                                           sizeof info, NULL))) {
        void *base = info.AllocationBase;
        SIZE_T size = 0;

        if (info.State != MEM_FREE && info.Type == MEM_PRIVATE)
            NtFreeVirtualMemory(NtCurrentProcess(), &base, &size,
                                MEM_RELEASE);
        else if (info.State != MEM_FREE)
            NtUnmapViewOfSection(NtCurrentProcess(), at);
        at += info.RegionSize;
    }
}

static void reserve_playground(SIZE_T size)
{
    void *base = playground;

    clean_playground();
    CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size,
                                         MEM_RESERVE, PAGE_READWRITE),
                 STATUS_SUCCESS);
}

/* Half of it is taken: committed, reserved; the rest is free. */
static void furnish_playground(void)
{
    reserve_playground(PLAYGROUND_SIZE / 2);
    commit(playground, PLAYGROUND_SIZE / 4);
}

/* ---- Handles ---- */

static void know(HANDLE handle, enum object object, ACCESS_MASK access)
{
    known_handles[known_handle_count++] = (struct known_handle){
        (ULONG_PTR)handle, object, access };
}

static void keep(HANDLE handle)
{
    OBJECT_HANDLE_FLAG_INFORMATION flags = { FALSE, TRUE };

    CHECK_STATUS(NtSetInformationObject(handle, ObjectHandleFlagInformation,
                                        &flags, sizeof flags),
                 STATUS_SUCCESS);
}

/* One with every right that the row may want, and one with none. */
static void know_object(HANDLE handle, enum object object, ACCESS_MASK access)
{
    HANDLE weak;

    good_handles[object] = (ULONG_PTR)handle;
    know(handle, object, access);
    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), handle,
                                   NtCurrentProcess(), &weak, 0, 0, 0),
                 STATUS_SUCCESS);
    know(weak, object, 0);
    keep(handle);
    keep(weak);
}

static volatile ULONG parked;

/* It stays where it is, whatever it is told. */
static void NTAPI park(void *argument)
{
    parked++;
    for (;;)
        NtWaitForSingleObject(argument, FALSE, NULL);
}

static HANDLE create_parked_thread(void)
{
    ULONG before = parked;
    HANDLE thread = NULL;

    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0,
                                     STACK, STACK, park, never, &thread,
                                     NULL), STATUS_SUCCESS);
    while (parked == before)
        NtYieldExecution();
    NtYieldExecution();
    return thread;
}

static HANDLE open_directory(void)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };
    HANDLE directory = NULL;

    RtlInitUnicodeString(&name, L"\\BaseNamedObjects");
    if (!NT_SUCCESS(NtOpenDirectoryObject(&directory, DIRECTORY_ALL_ACCESS,
                                          &attributes))) {
        attributes.ObjectName = NULL;
        CHECK_STATUS(NtCreateDirectoryObject(&directory, DIRECTORY_ALL_ACCESS,
                                             &attributes), STATUS_SUCCESS);
    }
    return directory;
}

static void create_handles(void)
{
    LARGE_INTEGER size = { .QuadPart = 0x10000 };
    HANDLE handle = NULL;

    NtCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    know_object(handle, EVENT, EVENT_ALL_ACCESS);
    NtCreateMutant(&handle, MUTANT_ALL_ACCESS, NULL, FALSE);
    know_object(handle, MUTANT, MUTANT_ALL_ACCESS);
    NtCreateSemaphore(&handle, SEMAPHORE_ALL_ACCESS, NULL, 3, 1000);
    know_object(handle, SEMAPHORE, SEMAPHORE_ALL_ACCESS);
    NtCreateTimer(&handle, TIMER_ALL_ACCESS, NULL, NotificationTimer);
    know_object(handle, TIMER, TIMER_ALL_ACCESS);
    NtCreateSection(&handle, SECTION_ALL_ACCESS, NULL, &size, PAGE_READWRITE,
                    SEC_COMMIT, NULL);
    know_object(handle, SECTION, SECTION_ALL_ACCESS);
    CHECK_STATUS(test_open(L"ntdll.dll", FILE_GENERIC_READ, &handle),
                 STATUS_SUCCESS);
    know_object(handle, FILE, FILE_GENERIC_READ);
    know_object(open_directory(), DIRECTORY, DIRECTORY_ALL_ACCESS);
    know_object(create_parked_thread(), THREAD, THREAD_ALL_ACCESS);
    NtDuplicateObject(NtCurrentProcess(), NtCurrentProcess(),
                      NtCurrentProcess(), &handle, PROCESS_ALL_ACCESS, 0, 0);
    know_object(handle, PROCESS, PROCESS_ALL_ACCESS);
    know(NtCurrentProcess(), PROCESS, PROCESS_ALL_ACCESS);
    know(NtCurrentThread(), THREAD, THREAD_ALL_ACCESS);
}

/* Numbers that are no handles. */
static void know_no_handles(void)
{
    static const LONG_PTR none[] = { 0, 1, 3, -3, -4, -5, -6, -7, 0x7FFFFFFC,
                                     0x12340, 0x400, 0x100000,
                                     (LONG)0x80000004 };
    ULONG_PTR event = good_handles[EVENT];

    for (ULONG i = 0; i < ARRAY_SIZE(none); i++)
        know((HANDLE)none[i], NOTHING, 0);
    know((HANDLE)KERNEL_ADDRESS, NOTHING, 0);
    know((HANDLE)TOP, NOTHING, 0);
    know((HANDLE)(event | 1), EVENT, EVENT_ALL_ACCESS);     /* tag bits */
    know((HANDLE)(event | 3), EVENT, EVENT_ALL_ACCESS);
#ifdef __x86_64__
    know((HANDLE)(event | 1ULL << 32), NOTHING, 0);
    know((HANDLE)(event | 1ULL << 63), NOTHING, 0);
    know((HANDLE)0xFFFFFFFFULL, NOTHING, 0);
    know((HANDLE)0xFFFFFFFEULL, NOTHING, 0);
#endif
}

static void close_handles(void)
{
    OBJECT_HANDLE_FLAG_INFORMATION flags = { FALSE, FALSE };

    for (ULONG i = 0; i < known_handle_count; i++) {
        HANDLE handle = (HANDLE)known_handles[i].value;

        if (known_handles[i].object == NOTHING || (LONG_PTR)handle < 0 ||
            (ULONG_PTR)handle & 3)
            continue;
        NtSetInformationObject(handle, ObjectHandleFlagInformation, &flags,
                               sizeof flags);
        CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    }
    known_handle_count = 0;
}

void world_make_victim(void)
{
    NtDuplicateObject(NtCurrentProcess(), (HANDLE)good_handles[EVENT],
                      NtCurrentProcess(), &victim, EVENT_ALL_ACCESS, 0, 0);
    know(victim, EVENT, EVENT_ALL_ACCESS);
}

void world_close_victim(void)
{
    OBJECT_HANDLE_FLAG_INFORMATION flags = { FALSE, FALSE };

    NtSetInformationObject(victim, ObjectHandleFlagInformation, &flags,
                           sizeof flags);
    NtClose(victim);
    known_handle_count--;
}

/* ---- Epochs ---- */

/* Ring 3 may know addresses of the kernel then. */
static BOOLEAN ask_for_debugger(void)
{
#ifdef __x86_64__
    return NtSystemDebugControl(~0u, NULL, 0, NULL, 0, NULL) !=
           STATUS_DEBUGGER_INACTIVE;
#else
    return FALSE;
#endif
}

void world_create(void)
{
    world_is_debugged = ask_for_debugger();
    create_arena();
    playground = reserve(PLAYGROUND_SIZE);
    NtCreateEvent(&never, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
}

void world_begin_epoch(void)
{
    reserve_playground(PLAYGROUND_SIZE);
    handles_before = test_handles();
    space_before = world_space();
    create_handles();                   /* no stack lies in the playground */
    know_no_handles();
    furnish_playground();
    memset(arena, 0, ARENA_HOLE * PAGE_SIZE);
    memset(arena + ARENA_EDGE * PAGE_SIZE, 0, PAGE_SIZE);
    memset(arena + ARENA_EDGE2 * PAGE_SIZE, 0, PAGE_SIZE);
    scan_take_copy();
}

static THREAD_BASIC_INFORMATION describe(HANDLE thread)
{
    THREAD_BASIC_INFORMATION basic = { .TebBaseAddress = NULL };

    CHECK_STATUS(NtQueryInformationThread(thread, ThreadBasicInformation,
                                          &basic, sizeof basic, NULL),
                 STATUS_SUCCESS);
    return basic;
}

/* Its stack goes with it only in 64-bit code. */
static void end_parked_thread(void)
{
    HANDLE thread = (HANDLE)good_handles[THREAD];
    const TEB *teb = describe(thread).TebBaseAddress;
    void *stack = teb->DeallocationStack;
    SIZE_T whole = 0;

    CHECK_STATUS(NtTerminateThread(thread, 0), STATUS_SUCCESS);
    while (describe(thread).TebBaseAddress)
        NtYieldExecution();
    NtFreeVirtualMemory(NtCurrentProcess(), &stack, &whole, MEM_RELEASE);
}

const char *world_end_epoch(void)
{
    end_parked_thread();
    close_handles();
    furnish_playground();
    if (test_handles() != handles_before)
        return "handles are left over";
    return world_space() != space_before ? "address space is left over"
                                         : NULL;
}
