/*
 * memory.c - NtAllocateVirtualMemory, NtFreeVirtualMemory,
 * NtProtectVirtualMemory, NtQueryVirtualMemory: reserve and commit, split
 * protections, and the status Windows gives for each thing it refuses.
 *
 * Scenarios: M3.
 */
#include "test.h"

#include "facts.h"

#define SELF NtCurrentProcess()

static NTSTATUS allocate(ULONG_PTR *base, SIZE_T size, ULONG type,
                         ULONG protect)
{
    void *address = (void *)*base;
    NTSTATUS status = NtAllocateVirtualMemory(SELF, &address, 0, &size, type,
                                              protect);

    *base = (ULONG_PTR)address;
    return status;
}

static NTSTATUS release(ULONG_PTR base, SIZE_T size, ULONG type)
{
    void *address = (void *)base;

    return NtFreeVirtualMemory(SELF, &address, &size, type);
}

static NTSTATUS protect(ULONG_PTR base, SIZE_T size, ULONG new, ULONG *old)
{
    void *address = (void *)base;

    return NtProtectVirtualMemory(SELF, &address, &size, new, old);
}

static MEMORY_BASIC_INFORMATION query(ULONG_PTR address)
{
    MEMORY_BASIC_INFORMATION memory;
    SIZE_T length = 0;

    memset(&memory, 0xEE, sizeof memory);
    CHECK_STATUS(NtQueryVirtualMemory(SELF, (void *)address,
                                      MemoryBasicInformation, &memory,
                                      sizeof memory, &length),
                 STATUS_SUCCESS);
    CHECK(length == sizeof memory);
    return memory;
}

static void check_commit(void)
{
    ULONG_PTR base = 0;
    SIZE_T size = 5000;
    void *address = NULL;
    UCHAR *bytes;
    ULONG at;

    CHECK_STATUS(NtAllocateVirtualMemory(SELF, &address, 0, &size,
                                         MEM_RESERVE | MEM_COMMIT,
                                         PAGE_READWRITE), STATUS_SUCCESS);
    base = (ULONG_PTR)address;
    bytes = address;
    CHECK(base % ALLOCATION_GRANULARITY == 0 && size == 2 * PAGE_SIZE);
    for (at = 0; at < size; at++)
        if (bytes[at])
            break;
    CHECK(at == size);
    memset(bytes, 7, size);
    CHECK_STATUS(allocate(&base, PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE),
                 STATUS_SUCCESS);
    CHECK(bytes[0] == 7);
    CHECK_STATUS(release(base, 0, MEM_RELEASE), STATUS_SUCCESS);
    CHECK(query(base).State == MEM_FREE);
    CHECK_STATUS(release(base, 0, MEM_RELEASE), STATUS_MEMORY_NOT_ALLOCATED);
}

/* MEM_COMMIT alone, without an address, reserves as well. */
static void check_commit_alone(void)
{
    ULONG_PTR base = 0;

    CHECK_STATUS(allocate(&base, PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE),
                 STATUS_SUCCESS);
    CHECK(base && query(base).State == MEM_COMMIT);
    CHECK_STATUS(release(base, 0, MEM_RELEASE), STATUS_SUCCESS);
}

/* What is reset need not be kept: its bytes are as they were, or zero. */
static void check_reset(void)
{
    ULONG_PTR base = 0, middle;
    UCHAR *bytes;
    ULONG at;

    CHECK_STATUS(allocate(&base, 0x3000, MEM_RESERVE | MEM_COMMIT,
                          PAGE_READWRITE), STATUS_SUCCESS);
    bytes = (UCHAR *)base;
    memset(bytes, 9, 0x3000);
    middle = base + 0x1234;
    CHECK_STATUS(allocate(&middle, 1, MEM_RESET, PAGE_READWRITE),
                 STATUS_SUCCESS);
    CHECK(middle == base + 0x1000 && query(base).RegionSize == 0x3000);
    for (at = 0; at < 0x3000; at++)
        if (bytes[at] != 9 && (bytes[at] != 0 || at / 0x1000 != 1))
            break;
    CHECK(at == 0x3000);
    memset(bytes, 10, 0x3000);
    CHECK(bytes[0] == 10 && bytes[0x1FFF] == 10);
    CHECK_STATUS(release(base, 0, MEM_RELEASE), STATUS_SUCCESS);
}

static void check_reserve(void)
{
    ULONG_PTR base = 0, inner, odd;
    MEMORY_BASIC_INFORMATION memory;

    CHECK_STATUS(allocate(&base, 0x40000, MEM_RESERVE, PAGE_READWRITE),
                 STATUS_SUCCESS);
    inner = base + 0x3000;
    CHECK_STATUS(allocate(&inner, 0x2000, MEM_COMMIT, PAGE_READONLY),
                 STATUS_SUCCESS);
    CHECK(inner == base + 0x3000);
    memory = query(inner);
    CHECK(memory.AllocationBase == (void *)base);
    CHECK(memory.AllocationProtect == PAGE_READWRITE);
    CHECK_SAY(memory.State == MEM_COMMIT && memory.Protect == PAGE_READONLY &&
              memory.Type == MEM_PRIVATE && memory.RegionSize == 0x2000,
              "state %x protect %x type %x size %Ix", memory.State,
              memory.Protect, memory.Type, memory.RegionSize);
    odd = base + 0x8FFF;
    CHECK_STATUS(allocate(&odd, 2, MEM_COMMIT, PAGE_READWRITE),
                 STATUS_SUCCESS);
    CHECK(odd == base + 0x8000);
    *(volatile UCHAR *)(base + 0x9FFF) = 1;
    CHECK_STATUS(release(base + 0x8000, 0x1000, MEM_DECOMMIT),
                 STATUS_SUCCESS);
    CHECK(*(volatile UCHAR *)(base + 0x9FFF) == 1);
    CHECK_STATUS(release(base, 0, MEM_DECOMMIT), STATUS_SUCCESS);
    CHECK_STATUS(protect(inner, 1, PAGE_READONLY, &(ULONG){ 0 }),
                 STATUS_NOT_COMMITTED);
    CHECK_STATUS(release(base, 0, MEM_RELEASE), STATUS_SUCCESS);
}

/* Committed again, a page that was decommitted is zero. */
static void check_decommit(void)
{
    ULONG_PTR base = 0;

    CHECK_STATUS(allocate(&base, 0x3000, MEM_RESERVE | MEM_COMMIT,
                          PAGE_READWRITE), STATUS_SUCCESS);
    memset((void *)base, 9, 0x3000);
    CHECK_STATUS(release(base + 0x1000, 0x1000, MEM_DECOMMIT),
                 STATUS_SUCCESS);
    base += 0x1000;
    CHECK_STATUS(allocate(&base, 0x1000, MEM_COMMIT, PAGE_READWRITE),
                 STATUS_SUCCESS);
    CHECK(*(UCHAR *)base == 0 && *(UCHAR *)(base - 1) == 9);
    base -= 0x1000;
    CHECK_STATUS(release(base, 0, MEM_RELEASE), STATUS_SUCCESS);
}

static void check_protect(void)
{
    ULONG_PTR base = 0;
    ULONG old = 0;

    CHECK_STATUS(allocate(&base, 0x3000, MEM_RESERVE | MEM_COMMIT,
                          PAGE_READWRITE), STATUS_SUCCESS);
    CHECK_STATUS(protect(base + 0x1000, 1, PAGE_READONLY, &old),
                 STATUS_SUCCESS);
    CHECK(old == PAGE_READWRITE);
    CHECK(query(base).RegionSize == 0x1000);
    CHECK(query(base + 0x1000).Protect == PAGE_READONLY);
    CHECK(query(base + 0x2000).Protect == PAGE_READWRITE);
    CHECK_STATUS(protect(base, 0x3000, PAGE_NOACCESS, &old), STATUS_SUCCESS);
    CHECK(old == PAGE_READWRITE && query(base).RegionSize == 0x3000);
    CHECK_STATUS(NtQuerySystemTime((void *)base), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(protect(base, 0x3000, PAGE_READONLY, &old), STATUS_SUCCESS);
    CHECK(old == PAGE_NOACCESS && *(volatile UCHAR *)base == 0);
    CHECK_STATUS(NtQuerySystemTime((void *)base), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(protect(base, 1, PAGE_EXECUTE_READ, &old), STATUS_SUCCESS);
    CHECK_STATUS(protect(base, 1, 0, &old), STATUS_INVALID_PAGE_PROTECTION);
    CHECK_STATUS(protect(base, 1, 0x03, &old),
                 STATUS_INVALID_PAGE_PROTECTION);
    CHECK_STATUS(protect(base, 0x4000, PAGE_READONLY, &old),
                 STATUS_CONFLICTING_ADDRESSES);
    CHECK_STATUS(release(base, 0, MEM_RELEASE), STATUS_SUCCESS);
    CHECK_STATUS(protect(base, 1, PAGE_READONLY, &old),
                 STATUS_CONFLICTING_ADDRESSES);
}

static void check_code(void)
{
    static const UCHAR code[] = { 0xB8, 0x2A, 0, 0, 0, 0xC3 };
    UCHAR *page = test_pages(1);

    memcpy(page, code, sizeof code);            /* mov eax, 42; ret */
    test_protect(page, 1, PAGE_EXECUTE_READ);
    CHECK(((ULONG (*)(void))page)() == 42);
}

static void check_refusals(void)
{
    static const struct {
        ULONG_PTR base, size, zero_bits;
        ULONG type, protect;
        NTSTATUS status;
    } rows[] = {
        { 0, 0, 0, MEM_COMMIT, PAGE_READWRITE, STATUS_INVALID_PARAMETER_4 },
        { 0, 0x1000, 0, 0, PAGE_READWRITE, STATUS_INVALID_PARAMETER_5 },
        { 0, 0x1000, 0, 0x800, PAGE_READWRITE, STATUS_INVALID_PARAMETER_5 },
        { 0, 0x1000, 0, MEM_COMMIT, 0, STATUS_INVALID_PAGE_PROTECTION },
        { 0, 0x1000, 0, MEM_COMMIT, 0x06, STATUS_INVALID_PAGE_PROTECTION },
        { 0, 0x1000, 0, MEM_COMMIT, PAGE_WRITECOPY,
          STATUS_INVALID_PAGE_PROTECTION },
        { 0, 0x1000, 22, MEM_COMMIT, PAGE_READWRITE,
          STATUS_INVALID_PARAMETER_3 },
        { TOP + 1, 0x1000, 0, MEM_RESERVE, PAGE_READWRITE,
          STATUS_INVALID_PARAMETER_2 },
        { KERNEL_ADDRESS, 0x1000, 0, MEM_RESERVE, PAGE_READWRITE,
          STATUS_INVALID_PARAMETER_2 },
        { TOP - 0xFFF, 0x2000, 0, MEM_RESERVE, PAGE_READWRITE,
          STATUS_INVALID_PARAMETER_4 },
        { 0, ~(ULONG_PTR)0, 0, MEM_RESERVE, PAGE_READWRITE,
          STATUS_INVALID_PARAMETER_4 },
        { FREE_ADDRESS, 0x1000, 0, MEM_COMMIT, PAGE_READWRITE,
          STATUS_CONFLICTING_ADDRESSES },
        { FREE_ADDRESS, 0x1000, 0, MEM_RESET, PAGE_READWRITE,
          STATUS_CONFLICTING_ADDRESSES },
        { 0, 0x1000, 0, MEM_RESET | MEM_COMMIT, PAGE_READWRITE,
          STATUS_INVALID_PARAMETER_5 },
        { USER_SHARED_DATA, 0x1000, 0, MEM_RESERVE, PAGE_READWRITE,
          SHARED_PAGE_STATUS },
    };
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(rows); at++) {
        void *base = (void *)rows[at].base;
        SIZE_T size = rows[at].size;
        NTSTATUS status = NtAllocateVirtualMemory(SELF, &base,
                                                  rows[at].zero_bits, &size,
                                                  rows[at].type,
                                                  rows[at].protect);

        CHECK_SAY(status == rows[at].status,
                  "row %u (%Ix %Ix %x %x): %08x, not %08x", at,
                  rows[at].base, rows[at].size, rows[at].type,
                  rows[at].protect, status, rows[at].status);
        CHECK(base == (void *)rows[at].base && size == rows[at].size);
    }
    CHECK_STATUS(NtAllocateVirtualMemory((HANDLE)0x1234, &(void *){ NULL }, 0,
                                         &(SIZE_T){ 1 }, MEM_COMMIT,
                                         PAGE_READWRITE),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentThread(),
                                         &(void *){ NULL }, 0,
                                         &(SIZE_T){ 1 }, MEM_COMMIT,
                                         PAGE_READWRITE),
                 STATUS_OBJECT_TYPE_MISMATCH);
}

static void check_freeing(void)
{
    ULONG_PTR base = 0;

    CHECK_STATUS(allocate(&base, 0x40000, MEM_RESERVE, PAGE_READWRITE),
                 STATUS_SUCCESS);
    CHECK_STATUS(release(base, 0, 0), STATUS_INVALID_PARAMETER_4);
    CHECK_STATUS(release(base, 0, MEM_RELEASE | MEM_DECOMMIT),
                 STATUS_INVALID_PARAMETER_4);
    CHECK_STATUS(release(base + 0x1000, 0, MEM_RELEASE),
                 STATUS_FREE_VM_NOT_AT_BASE);
    CHECK_STATUS(release(base, 0x50000, MEM_RELEASE),
                 STATUS_UNABLE_TO_FREE_VM);
    CHECK_STATUS(release(TOP + 1, 0x1000, MEM_RELEASE),
                 STATUS_INVALID_PARAMETER_2);
    CHECK_STATUS(release(base + 0x10000, 0x10000, MEM_RELEASE),
                 STATUS_SUCCESS);
    CHECK(query(base + 0x10000).State == MEM_FREE);
    CHECK(query(base).State == MEM_RESERVE &&
          query(base).RegionSize == 0x10000);
    CHECK_STATUS(release(base, 0, MEM_RELEASE), STATUS_SUCCESS);
    CHECK_STATUS(release(base + 0x20000, 0, MEM_RELEASE), STATUS_SUCCESS);
}

static void check_placement(void)
{
    ULONG_PTR low = 0, high = 0, at, taken;
    void *base = NULL;
    SIZE_T size = 0x1000;

    CHECK_STATUS(allocate(&low, 0x10000, MEM_RESERVE, PAGE_READWRITE), 0);
    CHECK_STATUS(allocate(&high, 0x10000, MEM_RESERVE | MEM_TOP_DOWN,
                          PAGE_READWRITE), 0);
    CHECK(high > low && high <= TOP);
    at = FREE_PLACE + 0x1234;
    CHECK_STATUS(allocate(&at, 0x1000, MEM_RESERVE, PAGE_READWRITE), 0);
    CHECK_SAY(at == FREE_PLACE, "reserved at %Ix", at);
    taken = FREE_PLACE;
    CHECK_STATUS(allocate(&taken, 0x1000, MEM_RESERVE, PAGE_READWRITE),
                 STATUS_CONFLICTING_ADDRESSES);
    CHECK_STATUS(NtAllocateVirtualMemory(SELF, &base, 4, &size,
                                         MEM_RESERVE | MEM_COMMIT,
                                         PAGE_READWRITE), STATUS_SUCCESS);
    CHECK_SAY((ULONG_PTR)base < 1U << 28, "4 zero bits: %p", base);
    release(low, 0, MEM_RELEASE);
    release(high, 0, MEM_RELEASE);
    release(at, 0, MEM_RELEASE);
    release((ULONG_PTR)base, 0, MEM_RELEASE);
}

static void check_queries(PEB *peb)
{
    MEMORY_BASIC_INFORMATION memory = query((ULONG_PTR)check_queries);
    SIZE_T length;

    CHECK(memory.AllocationBase == peb->ImageBaseAddress);
    CHECK_SAY(memory.Type == MEM_IMAGE && memory.State == MEM_COMMIT &&
              memory.Protect == PAGE_EXECUTE_READ, "image: %x %x %x",
              memory.Type, memory.State, memory.Protect);
    memory = query(USER_SHARED_DATA + 0x10);
    CHECK(memory.State == MEM_COMMIT && memory.Protect == PAGE_READONLY);
    CHECK(memory.BaseAddress == (void *)USER_SHARED_DATA);
    memory = query(0);
    CHECK(memory.State == MEM_FREE && memory.Protect == PAGE_NOACCESS &&
          memory.RegionSize >= 0x10000);
    CHECK_STATUS(NtQueryVirtualMemory(SELF, (void *)(TOP + 1),
                                      MemoryBasicInformation, &memory,
                                      sizeof memory, &length),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtQueryVirtualMemory(SELF, NULL, MemoryBasicInformation,
                                      &memory, sizeof memory - 1, &length),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(NtQueryVirtualMemory(SELF, NULL, 0x7777, &memory,
                                      sizeof memory, &length),
                 STATUS_INVALID_INFO_CLASS);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    check_commit();
    check_commit_alone();
    check_reset();
    check_reserve();
    check_decommit();
    check_protect();
    check_code();
    check_refusals();
    check_freeing();
    check_placement();
    check_queries(peb);
    return test_end();
}
