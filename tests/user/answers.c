/*
 * answers.c - what every service says to good and bad arguments, a line each.
 *
 * The same source is a 64-bit and a 32-bit program, and what they print must
 * be the same: tests/boot/test_wow64.py compares.  Each service is called
 * once as it should be; then each pointer that it takes is replaced by one
 * that is bad in some way, and each length by others.  A line has the status
 * and which arguments' data the call has changed.
 *
 * Three things differ by nature and are left out: alignment by 8, a guard page
 * where the call is wrong in another way, too (the 64-bit forms of 32-bit
 * arguments are made first), and how far a copy of memory got whose target
 * lies above 32 bits' user space.
 */
#include "test.h"

#define ARGUMENTS 11
#define OBJECT_SIZE 0x400

/* One argument: a value, or a pointer to size bytes of data. */
struct argument {
    ULONG_PTR value;
    void *data;
    ULONG size;
};

struct call {
    const char *name;
    void *routine;
    ULONG count;
    struct argument arguments[ARGUMENTS];
    ULONG length;           /* index of the argument that is a length, or 0 */
    void (*show)(void);     /* prints what a good call has written */
    void (*undo)(NTSTATUS status);
};

static UCHAR *pages;        /* data; then, a page each, what cannot be used */
#define READ_ONLY (pages + 0x1000)
#define GUARD (pages + 0x2000)
#define LAST (pages + 0x3000)
#define NO_ACCESS (pages + 0x4000)

static ULONG_PTR invoke(const struct call *call, const ULONG_PTR *a)
{
    typedef ULONG_PTR A;
    void *f = call->routine;

    switch (call->count) {
    case 0: return ((A (NTAPI *)(void))f)();
    case 1: return ((A (NTAPI *)(A))f)(a[0]);
    case 2: return ((A (NTAPI *)(A, A))f)(a[0], a[1]);
    case 3: return ((A (NTAPI *)(A, A, A))f)(a[0], a[1], a[2]);
    case 4: return ((A (NTAPI *)(A, A, A, A))f)(a[0], a[1], a[2], a[3]);
    case 5: return ((A (NTAPI *)(A, A, A, A, A))f)(a[0], a[1], a[2], a[3],
                                                   a[4]);
    case 6: return ((A (NTAPI *)(A, A, A, A, A, A))f)(a[0], a[1], a[2], a[3],
                                                      a[4], a[5]);
    case 7: return ((A (NTAPI *)(A, A, A, A, A, A, A))f)(
            a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
    case 9: return ((A (NTAPI *)(A, A, A, A, A, A, A, A, A))f)(
            a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
    case 10: return ((A (NTAPI *)(A, A, A, A, A, A, A, A, A, A))f)(
            a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
    default: return ((A (NTAPI *)(A, A, A, A, A, A, A, A, A, A, A))f)(
            a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9],
            a[10]);
    }
}

/* Copies of the data, so that every call begins alike. */
static void prepare(const struct call *call, ULONG_PTR *values)
{
    for (ULONG i = 0; i < call->count; i++) {
        const struct argument *from = &call->arguments[i];
        UCHAR *place = pages + i * 0x100;

        values[i] = from->value;
        if (!from->size)
            continue;
        memcpy(place, from->data, from->size);
        values[i] = (ULONG_PTR)place;
    }
}

/* The status, and a digit for each argument whose data are others now. */
static NTSTATUS perform(const struct call *call, const ULONG_PTR *values)
{
    NTSTATUS status = (NTSTATUS)invoke(call, values);
    ULONG changed = 0;

    for (ULONG i = 0; i < call->count; i++) {
        const struct argument *data = &call->arguments[i];

        if (values[i] == (ULONG_PTR)(pages + i * 0x100) &&
            memcmp((void *)values[i], data->data, data->size) != 0)
            changed = changed * 10 + i + 1;
    }
    print("%08x, changed %u\n", status, changed);
    if (call->undo)
        call->undo(status);
    return status;
}

/* Data at a place that may be read-only by then. */
static void put(UCHAR *page, ULONG at, const struct argument *data,
                ULONG protect)
{
    test_protect(page, 1, PAGE_READWRITE);
    memcpy(page + at, data->data, data->size);
    test_protect(page, 1, protect);
}

static void bad_pointers(const struct call *call, ULONG index,
                         BOOLEAN otherwise_good)
{
    const struct argument *data = &call->arguments[index];
    const ULONG_PTR end = (ULONG_PTR)NO_ACCESS;
    const struct {
        const char *word;
        ULONG_PTR value;
    } bad[] = {
        { "null", 0 },
        { "one", 1 },
        { "64K-1", 0xFFFF },
        { "no access", end },
        { "read-only", (ULONG_PTR)READ_ONLY },
        { "guard", (ULONG_PTR)GUARD },
        { "odd", (ULONG_PTR)LAST + 1 },
        { "off by 2", (ULONG_PTR)LAST + 2 },
        { "off by 8", (ULONG_PTR)LAST + 8 },
        { "crossing", end - (data->size - 1) },
        { "crossing, aligned", end - ((data->size - 1) & ~7u) },
        { "2 GiB", 0x80000000 },
        { "top", ~(ULONG_PTR)7 },
        { "last", ~(ULONG_PTR)0 },
    };
    ULONG_PTR values[ARGUMENTS];

    for (ULONG i = 0; i < ARRAY_SIZE(bad); i++) {
        ULONG_PTR value = bad[i].value;
        ULONG offset = (ULONG)(value & 0xFFF);

        if (value == (ULONG_PTR)GUARD && !otherwise_good)
            continue;
        prepare(call, values);
        put(READ_ONLY, 0, data, PAGE_READONLY);
        put(GUARD, 0, data, PAGE_READWRITE | PAGE_GUARD);
        test_protect(LAST, 1, PAGE_READWRITE);
        memset(LAST, 0, 0x1000);
        if (value >= (ULONG_PTR)LAST && value < end)
            memcpy((void *)value, data->data,
                   data->size < 0x1000 - offset ? data->size
                                                : 0x1000 - offset);
        values[index] = value;
        print("%s, argument %u %s: ", call->name, index + 1, bad[i].word);
        perform(call, values);
    }
}

/* 0 to 4, and 8 less to 8 more than it should be. */
static void lengths(const struct call *call)
{
    ULONG_PTR values[ARGUMENTS];
    ULONG_PTR right = call->arguments[call->length].value;

    for (LONG i = 0; i < 5 + 17; i++) {
        LONG more = i - 5 - 8;

        prepare(call, values);
        values[call->length] = i < 5 ? (ULONG_PTR)i : right + more;
        print("%s, length %s%d: ", call->name, i < 5 ? "" : "right ",
              i < 5 ? i : more);
        perform(call, values);
    }
}

static void all(const struct call *call)
{
    ULONG_PTR values[ARGUMENTS];
    NTSTATUS status;

    prepare(call, values);
    print("%s: ", call->name);
    status = perform(call, values);
    if (call->show && NT_SUCCESS(status))
        call->show();
    for (ULONG i = 0; i < call->count; i++) {
        if (call->arguments[i].size)
            bad_pointers(call, i, NT_SUCCESS(status));
    }
    if (call->length)
        lengths(call);
}

/* ---- The services ---- */

#define V(v) { .value = (ULONG_PTR)(v) }
#define D(object) { .data = &(object), .size = sizeof(object) }
#define ROW(service, n, ...) \
    .name = #service, .routine = (void *)service, .count = n, \
    .arguments = { __VA_ARGS__ }

static HANDLE file, section, image_section, out_handle;
static IO_STATUS_BLOCK io;
static UCHAR buffer[64];
#define COPIED 32           /* bytes, of any object here */
static LARGE_INTEGER zero, section_size = { .QuadPart = 0x3000 };
static ULONG key, returned, old;
static SIZE_T size_returned;
static void *base;
static SIZE_T region = 0x2000, no_size;
static UNICODE_STRING name, bad_buffer, odd_buffer;
static OBJECT_ATTRIBUTES attributes, none, bad_name, odd_name, bad_name_buffer,
    bad_length, bad_flags, bad_root;
static union {
    FILE_STANDARD_INFORMATION standard;
    PROCESS_BASIC_INFORMATION process;
    THREAD_BASIC_INFORMATION thread;
    MEMORY_BASIC_INFORMATION memory;
    SECTION_BASIC_INFORMATION section;
    SECTION_IMAGE_INFORMATION image;
    SYSTEM_BASIC_INFORMATION basic;
    SYSTEM_TIMEOFDAY_INFORMATION time;
    EVENT_BASIC_INFORMATION event;
    MUTANT_BASIC_INFORMATION mutant;
    MUTANT_OWNER_INFORMATION owner;
    SEMAPHORE_BASIC_INFORMATION semaphore;
    TIMER_BASIC_INFORMATION timer;
} info;
static HANDLE event, mutant, semaphore, timer, both[2];
static OBJECT_BASIC_INFORMATION object_basic;
static OBJECT_HANDLE_FLAG_INFORMATION handle_flags;
static CLIENT_ID nobody, mine;
static RECT nowhere = { -2, -2, -1, -1 };
static LARGE_INTEGER later = { .QuadPart = -36000000000LL };
static LARGE_INTEGER soon = { .QuadPart = -1 };
static BOOLEAN state;
static UCHAR performance[0x138];
static ULONG_PTR parameters[3];
static ULONG list_command = MemoryFlushModifiedList;
static void *victim;
static SIZE_T victim_size;

static void close_out(NTSTATUS status)
{
    HANDLE handle = *(HANDLE *)pages;

    if (NT_SUCCESS(status)) {
        if (handle && NtClose(handle) != 0)
            print("  the handle is none\n");
        *(HANDLE *)pages = NULL;
    }
}

static void free_out(NTSTATUS status)
{
    void *at = *(void **)(pages + 0x100);
    SIZE_T none_left = 0;

    if (NT_SUCCESS(status) && at)
        NtFreeVirtualMemory(NtCurrentProcess(), &at, &none_left,
                            MEM_RELEASE);
}

static void unmap_out(NTSTATUS status)
{
    if (NT_SUCCESS(status))
        NtUnmapViewOfSection(NtCurrentProcess(), *(void **)(pages + 0x200));
}

/* Argument n's data, after a call. */
#define AT(n, type) ((type *)(pages + ((n) - 1) * 0x100))

static void show_create(void)
{
    const IO_STATUS_BLOCK *block = AT(4, IO_STATUS_BLOCK);

    print("  status %08x, information %u\n", block->Status,
          (ULONG)block->Information);
}

static void show_transfer(void)
{
    const IO_STATUS_BLOCK *block = AT(5, IO_STATUS_BLOCK);

    print("  status %08x, information %u, %.16s\n", block->Status,
          (ULONG)block->Information, (char *)AT(6, char));
}

static void show_file(void)
{
    const IO_STATUS_BLOCK *block = AT(2, IO_STATUS_BLOCK);
    const FILE_STANDARD_INFORMATION *standard =
        AT(3, FILE_STANDARD_INFORMATION);

    print("  status %08x, information %u; %d %d %u %u\n", block->Status,
          (ULONG)block->Information,
          standard->AllocationSize.QuadPart >= standard->EndOfFile.QuadPart,
          standard->EndOfFile.QuadPart > 0x1000, standard->NumberOfLinks,
          standard->Directory);
}

static void show_allocated(void)
{
    ULONG_PTR at = *AT(2, ULONG_PTR);

    print("  %x, size %x\n", (ULONG)(at % 0x10000 | (at != 0)),
          (ULONG)*AT(4, SIZE_T));
}

static void show_range(void)
{
    print("  %x, size %x, old %x\n",
          (ULONG)(*AT(2, ULONG_PTR) - (ULONG_PTR)victim),
          (ULONG)*AT(3, SIZE_T), *AT(5, ULONG));
}

static void show_freed(void)
{
    print("  %x, size %x\n",
          (ULONG)(*AT(2, ULONG_PTR) - (ULONG_PTR)victim),
          (ULONG)*AT(3, SIZE_T));
}

static void show_copied(void)
{
    print("  %u\n", (ULONG)*AT(5, SIZE_T));
}

static void show_view(void)
{
    print("  %d, offset %x, size %x\n", *AT(3, void *) != NULL,
          AT(6, LARGE_INTEGER)->LowPart, (ULONG)*AT(7, SIZE_T));
}

static void show_region(void)
{
    const MEMORY_BASIC_INFORMATION *memory = AT(4, MEMORY_BASIC_INFORMATION);

    print("  %x, %x, size %x; %x %x %x %x; returned %d\n",
          (ULONG)((UCHAR *)memory->BaseAddress - pages),
          (ULONG)((UCHAR *)memory->AllocationBase - pages),
          (ULONG)memory->RegionSize, memory->AllocationProtect,
          memory->State, memory->Protect, memory->Type,
          *AT(6, SIZE_T) == sizeof *memory);
}

static void show_process(void)
{
    const PROCESS_BASIC_INFORMATION *process =
        AT(3, PROCESS_BASIC_INFORMATION);

    print("  %x, PEB %d, %u %d %u %u; returned %d\n", process->ExitStatus,
          process->PebBaseAddress == NtCurrentPeb(),
          (ULONG)process->AffinityMask, process->BasePriority,
          (ULONG)(ULONG_PTR)process->UniqueProcessId,
          (ULONG)(ULONG_PTR)process->InheritedFromUniqueProcessId,
          *AT(5, ULONG) == sizeof *process);
}

static void show_thread(void)
{
    const THREAD_BASIC_INFORMATION *thread =
        AT(3, THREAD_BASIC_INFORMATION);

    print("  %x, TEB %d, %u %u, %u %d %d; returned %d\n", thread->ExitStatus,
          thread->TebBaseAddress == NtCurrentTeb(),
          (ULONG)(ULONG_PTR)thread->ClientId.UniqueProcess,
          (ULONG)(ULONG_PTR)thread->ClientId.UniqueThread,
          (ULONG)thread->AffinityMask, thread->Priority,
          thread->BasePriority, *AT(5, ULONG) == sizeof *thread);
}

/* Pages in use differ from program to program. */
static void show_basic(void)
{
    const SYSTEM_BASIC_INFORMATION *basic = AT(2, SYSTEM_BASIC_INFORMATION);

    print("  %u %x %d %x %x %x %d; returned %d\n", basic->TimerResolution,
          basic->PageSize, basic->NumberOfPhysicalPages > 1000,
          basic->AllocationGranularity,
          (ULONG)basic->MinimumUserModeAddress,
          (ULONG)basic->ActiveProcessorsAffinityMask,
          basic->NumberOfProcessors, *AT(4, ULONG) == sizeof *basic);
}

static void show_counters(void)
{
    const ULONG *counters = AT(2, ULONG);

    print("  %d %d %d %x\n", counters[0x2C / 4] > 1000,
          counters[0x34 / 4] > counters[0x30 / 4], counters[0x134 / 4] > 100,
          *AT(4, ULONG));
}

static void show_time(void)
{
    const SYSTEM_TIMEOFDAY_INFORMATION *time =
        AT(2, SYSTEM_TIMEOFDAY_INFORMATION);

    print("  %d %x\n", time->CurrentTime.QuadPart > time->BootTime.QuadPart,
          *AT(4, ULONG));
}

static void show_response(void)
{
    print("  response %u\n", *AT(6, ULONG));
}

static void show_event(void)
{
    const EVENT_BASIC_INFORMATION *basic = AT(3, EVENT_BASIC_INFORMATION);

    print("  type %u, state %d; returned %d\n", basic->EventType,
          basic->EventState, *AT(5, ULONG) == sizeof *basic);
}

static void show_mutant(void)
{
    const MUTANT_BASIC_INFORMATION *basic = AT(3, MUTANT_BASIC_INFORMATION);

    print("  count %d, %d %d; returned %d\n", basic->CurrentCount,
          basic->OwnedByCaller, basic->AbandonedState,
          *AT(5, ULONG) == sizeof *basic);
}

static void show_owner(void)
{
    const MUTANT_OWNER_INFORMATION *owner = AT(3, MUTANT_OWNER_INFORMATION);
    const CLIENT_ID *me = &NtCurrentTeb()->ClientId;

    print("  process %d, thread %d; returned %d\n",
          owner->ClientId.UniqueProcess == me->UniqueProcess,
          owner->ClientId.UniqueThread == me->UniqueThread,
          *AT(5, ULONG) == sizeof *owner);
}

static void show_semaphore(void)
{
    const SEMAPHORE_BASIC_INFORMATION *basic =
        AT(3, SEMAPHORE_BASIC_INFORMATION);

    print("  %d of %d; returned %d\n", basic->CurrentCount,
          basic->MaximumCount, *AT(5, ULONG) == sizeof *basic);
}

static void show_timer(void)
{
    const TIMER_BASIC_INFORMATION *basic = AT(3, TIMER_BASIC_INFORMATION);

    print("  %d, state %d; returned %d\n",
          basic->RemainingTime.QuadPart > 0, basic->TimerState,
          *AT(5, ULONG) == sizeof *basic);
}

static void show_previous(void)
{
    print("  previous %d\n", *AT(2, LONG));
}

static void name_objects(void)
{
    static OBJECT_ATTRIBUTES *const rest[] = {
        &bad_name, &odd_name, &bad_name_buffer, &bad_length, &bad_flags,
        &bad_root
    };

    RtlInitUnicodeString(&name, L"\\SystemRoot\\System32\\ntoskrnl.sym");
    bad_buffer = odd_buffer = name;
    bad_buffer.Buffer = (WCHAR *)NO_ACCESS;
    odd_buffer.Buffer = (WCHAR *)((UCHAR *)name.Buffer + 1);
    none = (OBJECT_ATTRIBUTES){ .Length = sizeof none };
    attributes = none;
    attributes.ObjectName = &name;
    attributes.Attributes = OBJ_CASE_INSENSITIVE;
    for (ULONG i = 0; i < ARRAY_SIZE(rest); i++)
        *rest[i] = attributes;
    bad_name.ObjectName = (UNICODE_STRING *)NO_ACCESS;
    odd_name.ObjectName = (UNICODE_STRING *)0x80000001;
    bad_name_buffer.ObjectName = &bad_buffer;
    bad_length.Length = sizeof none ^ 0x28; /* the other size */
    bad_flags.Attributes = 0x80000000;
    bad_root.RootDirectory = (HANDLE)(LONG_PTR)-2;
}

static void files(void)
{
    OBJECT_ATTRIBUTES *const odd[] = {
        &none, &bad_name, &odd_name, &bad_name_buffer, &bad_length,
        &bad_flags, &bad_root
    };
    struct call open = {
        ROW(NtOpenFile, 6, D(out_handle), V(FILE_GENERIC_READ),
            D(attributes), D(io), V(FILE_SHARE_READ),
            V(FILE_SYNCHRONOUS_IO_NONALERT)),
        .show = show_create, .undo = close_out
    };
    const struct call rows[] = {
        { ROW(NtCreateFile, 11, D(out_handle), V(FILE_GENERIC_READ),
              D(attributes), D(io), D(zero), V(0), V(FILE_SHARE_READ),
              V(FILE_OPEN), V(FILE_SYNCHRONOUS_IO_NONALERT), V(0), V(0)),
          .show = show_create, .undo = close_out },
        { ROW(NtCreateFile, 11, D(out_handle), V(FILE_GENERIC_READ),
              D(attributes), D(io), D(zero), V(0), V(FILE_SHARE_READ),
              V(99), V(FILE_SYNCHRONOUS_IO_NONALERT), V(0), V(0)) },
        { ROW(NtReadFile, 9, V(file), V(0), V(0), V(0), D(io), D(buffer),
              V(sizeof buffer), D(zero), D(key)), .show = show_transfer },
        { ROW(NtWriteFile, 9, V(NtCurrentPeb()->ProcessParameters->
              StandardOutput), V(0), V(0), V(0), D(io), D(buffer), V(1),
              D(zero), D(key)), .show = show_transfer },
        { ROW(NtReadFile, 9, V(0x4444), V(0), V(0), V(0), D(io), D(buffer),
              V(sizeof buffer), D(zero), D(key)) },
        { ROW(NtQueryInformationFile, 5, V(file), D(io), D(info.standard),
              V(sizeof info.standard), V(FileStandardInformation)),
          .length = 3, .show = show_file },
        { ROW(NtQueryInformationFile, 5, V(file), D(io), D(zero), V(8),
              V(FilePositionInformation)), .length = 3 },
        { ROW(NtDisplayString, 1, D(odd_buffer)) },
        { ROW(NtDisplayString, 1, D(bad_buffer)) },
        { ROW(NtDisplayString, 1, D(name)) },
    };

    all(&open);
    for (ULONG i = 0; i < ARRAY_SIZE(odd); i++) {
        open.arguments[2].data = odd[i];
        print("attributes %u\n", i);
        all(&open);
    }
    for (ULONG i = 0; i < ARRAY_SIZE(rows); i++)
        all(&rows[i]);
}

static void memory(void)
{
    const struct call rows[] = {
        { ROW(NtAllocateVirtualMemory, 6, V(-1), D(base), V(0), D(region),
              V(MEM_RESERVE), V(PAGE_READWRITE)), .show = show_allocated,
          .undo = free_out },
        { ROW(NtAllocateVirtualMemory, 6, V(-1), D(base), V(25), D(region),
              V(MEM_RESERVE), V(PAGE_READWRITE)) },
        { ROW(NtAllocateVirtualMemory, 6, V(-1), D(base), V(0), D(no_size),
              V(MEM_RESERVE), V(PAGE_READWRITE)) },
        { ROW(NtProtectVirtualMemory, 5, V(-1), D(victim), D(victim_size),
              V(PAGE_READONLY), D(old)), .show = show_range },
        { ROW(NtFreeVirtualMemory, 4, V(-1), D(victim), D(victim_size),
              V(MEM_DECOMMIT)), .show = show_freed },
        { ROW(NtLockVirtualMemory, 4, V(-1), D(victim), D(victim_size),
              V(MAP_PROCESS)), .show = show_range },
        { ROW(NtUnlockVirtualMemory, 4, V(-1), D(victim), D(victim_size),
              V(MAP_PROCESS)), .show = show_range },
        { ROW(NtUnlockVirtualMemory, 4, V(-1), D(victim), D(no_size),
              V(MAP_PROCESS)) },
        { ROW(NtLockVirtualMemory, 4, V(-1), D(victim), D(victim_size),
              V(0)) },
        { ROW(NtQueryVirtualMemory, 6, V(-1), V(pages + 0x1004), V(0),
              D(info.memory), V(sizeof info.memory), D(size_returned)),
          .length = 4, .show = show_region },
        { ROW(NtQueryVirtualMemory, 6, V(0x999), V(file), V(0),
              D(info.memory), V(sizeof info.memory), D(size_returned)) },
        { ROW(NtQueryVirtualMemory, 6, V(-1), V(file), V(1), D(info.memory),
              V(sizeof info.memory), D(size_returned)) },
        { ROW(NtQueryVirtualMemory, 6, V(-1), V(-1), V(0), D(info.memory),
              V(sizeof info.memory), D(size_returned)) },
        { ROW(NtCreateSection, 7, D(out_handle), V(SECTION_ALL_ACCESS),
              D(none), D(section_size), V(PAGE_READWRITE), V(SEC_COMMIT),
              V(0)), .undo = close_out },
        { ROW(NtReadVirtualMemory, 5, V(-1), V(&info), V(buffer),
              V(COPIED), D(size_returned)), .length = 3,
          .show = show_copied },
        { ROW(NtReadVirtualMemory, 5, V(-1), V(0x10), V(buffer),
              V(COPIED), D(size_returned)) },
        { ROW(NtReadVirtualMemory, 5, V(-1), V(&info), V(READ_ONLY),
              V(COPIED), D(size_returned)) },
        { ROW(NtReadVirtualMemory, 5, V(0x999), V(&info), V(buffer),
              V(COPIED), D(size_returned)) },
        { ROW(NtWriteVirtualMemory, 5, V(-1), V(&info), V(buffer),
              V(COPIED), D(size_returned)), .length = 3,
          .show = show_copied },
        { ROW(NtWriteVirtualMemory, 5, V(-1), V(&info), V(0x10),
              V(COPIED), D(size_returned)) },
        { ROW(NtWriteVirtualMemory, 5, V(-1), V(NO_ACCESS), V(buffer),
              V(COPIED), D(size_returned)) },
        { ROW(NtQuerySection, 5, V(section), V(0), D(info.section),
              V(sizeof info.section), D(size_returned)), .length = 3 },
        { ROW(NtQuerySection, 5, V(image_section), V(1), D(info.image),
              V(sizeof info.image), D(size_returned)), .length = 3 },
        { ROW(NtQuerySection, 5, V(section), V(1), D(info.image),
              V(sizeof info.image), D(size_returned)) },
        { ROW(NtQuerySection, 5, V(section), V(9), D(info.image),
              V(sizeof info.image), D(size_returned)) },
        { ROW(NtMapViewOfSection, 10, V(section), V(-1), D(base), V(0), V(0),
              D(zero), D(region), V(ViewUnmap), V(0), V(PAGE_READWRITE)),
          .show = show_view, .undo = unmap_out },
        { ROW(NtUnmapViewOfSection, 2, V(-1), V(0x20000)) },
        { ROW(NtUnmapViewOfSection, 2, V(-1), V(-1)) },
    };

    for (ULONG i = 0; i < ARRAY_SIZE(rows); i++)
        all(&rows[i]);
}

static void queries(void)
{
    parameters[0] = 0x1234;
    parameters[1] = (ULONG_PTR)&name;
    parameters[2] = (ULONG_PTR)NO_ACCESS;

    const struct call rows[] = {
        { ROW(NtQueryInformationProcess, 5, V(-1), V(0), D(info.process),
              V(sizeof info.process), D(returned)), .length = 3,
          .show = show_process },
        { ROW(NtQueryInformationProcess, 5, V(-1), V(99), D(info.process),
              V(sizeof info.process), D(returned)), .length = 3 },
        { ROW(NtQueryInformationProcess, 5, V(-2), V(0), D(info.process),
              V(sizeof info.process), D(returned)), .length = 3 },
        { ROW(NtQueryInformationThread, 5, V(-2), V(0), D(info.thread),
              V(sizeof info.thread), D(returned)), .length = 3,
          .show = show_thread },
        { ROW(NtQueryInformationThread, 5, V(-2), V(99), D(info.thread),
              V(sizeof info.thread), D(returned)), .length = 3 },
        { ROW(NtQueryInformationThread, 5, V(0), V(0), D(info.thread),
              V(sizeof info.thread), D(returned)), .length = 3 },
        { ROW(NtQuerySystemInformation, 4, V(0), D(info.basic),
              V(sizeof info.basic), D(returned)), .length = 2,
          .show = show_basic },
        { ROW(NtQuerySystemInformation, 4, V(2), D(performance),
              V(sizeof performance), D(returned)), .length = 2,
          .show = show_counters },
        { ROW(NtQuerySystemInformation, 4, V(3), D(info.time),
              V(sizeof info.time), D(returned)), .length = 2,
          .show = show_time },
        { ROW(NtQuerySystemInformation, 4, V(77), D(info.time),
              V(sizeof info.time), D(returned)), .length = 2 },
        { ROW(NtSetSystemInformation, 3, V(80), D(list_command),
              V(sizeof list_command)), .length = 2 },
        { ROW(NtSetSystemInformation, 3, V(80), D(returned),
              V(sizeof returned)), .length = 2 },
        { ROW(NtQuerySystemTime, 1, D(zero)) },
        { ROW(NtQueryPerformanceCounter, 2, D(zero), D(zero)) },
        { ROW(NtRaiseHardError, 6, V(0xC0000135), V(2), V(2), D(parameters),
              V(OptionOk), D(returned)), .show = show_response },
        { ROW(NtRaiseHardError, 6, V(0xC0000135), V(3), V(6), D(parameters),
              V(OptionOk), D(returned)) },
        { ROW(NtRaiseHardError, 6, V(0xC0000135), V(6), V(2), D(parameters),
              V(OptionOk), D(returned)) },
        { ROW(NtRaiseHardError, 6, V(0xC0000135), V(1), V(1), D(parameters),
              V(99), D(returned)) },
        { ROW(NtRaiseHardError, 6, V(0xC0000135), V(1), V(0), D(parameters),
              V(OptionShutdownSystem), D(returned)) },
    };

    for (ULONG i = 0; i < ARRAY_SIZE(rows); i++)
        all(&rows[i]);
}

static void make_waitables(void)
{
    NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, TRUE);
    NtCreateMutant(&mutant, MUTANT_ALL_ACCESS, NULL, TRUE);
    NtCreateSemaphore(&semaphore, SEMAPHORE_ALL_ACCESS, NULL, 1, 3);
    NtCreateTimer(&timer, TIMER_ALL_ACCESS, NULL, NotificationTimer);
}

static void creations(void)
{
    OBJECT_ATTRIBUTES *const odd[] = {
        &attributes, &bad_name, &odd_name, &bad_name_buffer, &bad_length,
        &bad_flags, &bad_root
    };
    const struct call rows[] = {
        { ROW(NtCreateEvent, 5, D(out_handle), V(EVENT_ALL_ACCESS), D(none),
              V(NotificationEvent), V(0)), .undo = close_out },
        { ROW(NtCreateEvent, 5, D(out_handle), V(EVENT_ALL_ACCESS), D(none),
              V(2), V(0)) },
        { ROW(NtCreateMutant, 4, D(out_handle), V(MUTANT_ALL_ACCESS),
              D(none), V(1)), .undo = close_out },
        { ROW(NtCreateSemaphore, 5, D(out_handle), V(SEMAPHORE_ALL_ACCESS),
              D(none), V(0), V(1)), .undo = close_out },
        { ROW(NtCreateSemaphore, 5, D(out_handle), V(SEMAPHORE_ALL_ACCESS),
              D(none), V(-1), V(1)) },
        { ROW(NtCreateTimer, 4, D(out_handle), V(TIMER_ALL_ACCESS), D(none),
              V(NotificationTimer)), .undo = close_out },
        { ROW(NtCreateSection, 7, D(out_handle), V(SECTION_ALL_ACCESS),
              D(none), D(section_size), V(PAGE_READWRITE), V(SEC_COMMIT),
              V(0)), .undo = close_out },
        { ROW(NtOpenSection, 3, D(out_handle), V(SECTION_ALL_ACCESS),
              D(none)) },
        { ROW(NtOpenEvent, 3, D(out_handle), V(EVENT_ALL_ACCESS), D(none)) },
        { ROW(NtOpenMutant, 3, D(out_handle), V(MUTANT_ALL_ACCESS),
              D(none)) },
        { ROW(NtOpenSemaphore, 3, D(out_handle), V(SEMAPHORE_ALL_ACCESS),
              D(none)) },
        { ROW(NtOpenTimer, 3, D(out_handle), V(TIMER_ALL_ACCESS), D(none)) },
    };

    for (ULONG i = 0; i < ARRAY_SIZE(rows); i++) {
        struct call row = rows[i];

        all(&row);
        for (ULONG k = 0; k < ARRAY_SIZE(odd); k++) {
            row.arguments[2].data = odd[k];
            print("attributes %u\n", k);
            all(&row);
        }
    }
}

static void changes(void)
{
    const struct call rows[] = {
        { ROW(NtResetEvent, 2, V(event), D(old)), .show = show_previous },
        { ROW(NtSetEvent, 2, V(event), D(old)), .show = show_previous },
        { ROW(NtPulseEvent, 2, V(event), D(old)), .show = show_previous },
        { ROW(NtClearEvent, 1, V(event)) },
        { ROW(NtClearEvent, 1, V(mutant)) },
        { ROW(NtSetEvent, 2, V(0x999), D(old)) },
        { ROW(NtQueryEvent, 5, V(event), V(0), D(info.event),
              V(sizeof info.event), D(returned)), .length = 3,
          .show = show_event },
        { ROW(NtQueryMutant, 5, V(mutant), V(0), D(info.mutant),
              V(sizeof info.mutant), D(returned)), .length = 3,
          .show = show_mutant },
        { ROW(NtQueryMutant, 5, V(mutant), V(1), D(info.owner),
              V(sizeof info.owner), D(returned)), .length = 3,
          .show = show_owner },
        { ROW(NtQueryMutant, 5, V(mutant), V(2), D(info.owner),
              V(sizeof info.owner), D(returned)), .length = 3 },
        { ROW(NtReleaseMutant, 2, V(mutant), D(old)),
          .show = show_previous },
        { ROW(NtReleaseSemaphore, 3, V(semaphore), V(1), D(old)) },
        { ROW(NtReleaseSemaphore, 3, V(semaphore), V(0), D(old)) },
        { ROW(NtQuerySemaphore, 5, V(semaphore), V(0), D(info.semaphore),
              V(sizeof info.semaphore), D(returned)), .length = 3,
          .show = show_semaphore },
        { ROW(NtSetTimer, 7, V(timer), D(later), V(0), V(0), V(0), V(0),
              D(state)) },
        { ROW(NtSetTimer, 7, V(timer), D(later), V(0), V(0), V(1), V(-1),
              D(state)) },
        { ROW(NtQueryTimer, 5, V(timer), V(0), D(info.timer),
              V(sizeof info.timer), D(returned)), .length = 3,
          .show = show_timer },
        { ROW(NtCancelTimer, 2, V(timer), D(state)) },
        { ROW(NtDelayExecution, 2, V(0), D(soon)) },
        { ROW(NtSetSystemTime, 2, D(zero), D(soon)) },
        { ROW(NtQueryTimerResolution, 3, D(old), D(old), D(old)) },
        { ROW(NtSetTimerResolution, 3, V(10000), V(1), D(old)) },
    };

    for (ULONG i = 0; i < ARRAY_SIZE(rows); i++)
        all(&rows[i]);
}

/* NtDuplicateObject's. */
static void close_fourth(NTSTATUS status)
{
    if (NT_SUCCESS(status) && *AT(4, HANDLE))
        NtClose(*AT(4, HANDLE));
}

/* Timeouts are not tried as bad pointers: NULL is for ever. */
static void waits_and_handles(void)
{
    const struct call rows[] = {
        { ROW(NtWaitForSingleObject, 3, V(semaphore), V(0), V(&soon)) },
        { ROW(NtWaitForSingleObject, 3, V(file), V(0), V(&soon)) },
        { ROW(NtWaitForMultipleObjects, 5, V(2), D(both), V(1), V(0),
              V(&soon)) },
        { ROW(NtWaitForMultipleObjects, 5, V(65), D(both), V(1), V(0),
              V(&soon)) },
        { ROW(NtWaitForMultipleObjects, 5, V(2), D(both), V(2), V(0),
              V(&soon)) },
        { ROW(NtSignalAndWaitForSingleObject, 4, V(event), V(timer), V(0),
              V(&soon)) },
        { ROW(NtSignalAndWaitForSingleObject, 4, V(timer), V(event), V(0),
              V(&soon)) },
        { ROW(NtQueryObject, 5, V(event), V(0), D(object_basic),
              V(sizeof object_basic), D(returned)), .length = 3 },
        { ROW(NtQueryObject, 5, V(0x999), V(0), D(object_basic),
              V(sizeof object_basic), D(returned)) },
        { ROW(NtSetInformationObject, 4, V(event), V(4), D(handle_flags),
              V(sizeof handle_flags)), .length = 3 },
        { ROW(NtDuplicateObject, 7, V(-1), V(event), V(-1), D(out_handle),
              V(0), V(0), V(2)), .undo = close_fourth },
        { ROW(NtDuplicateObject, 7, V(-1), V(0x999), V(-1), D(out_handle),
              V(0), V(0), V(2)) },
        { ROW(NtCreateDirectoryObject, 3, D(out_handle),
              V(DIRECTORY_ALL_ACCESS), D(none)), .undo = close_out },
        { ROW(NtOpenDirectoryObject, 3, D(out_handle),
              V(DIRECTORY_ALL_ACCESS), D(none)) },
        { ROW(NtQueryDirectoryObject, 7, V(0x999), D(buffer),
              V(sizeof buffer), V(1), V(1), D(key), D(returned)) },
        { ROW(NtCallbackReturn, 3, V(0), V(0), V(0)) },
        { ROW(NtUserEnumDisplayMonitors, 4, V(0), V(&nowhere), V(0), V(0)) },
    };

    both[0] = semaphore;
    both[1] = timer;
    for (ULONG i = 0; i < ARRAY_SIZE(rows); i++)
        all(&rows[i]);
}

static void threads_and_processes(void)
{
    const struct call rows[] = {
        { ROW(NtOpenProcess, 4, D(out_handle), V(PROCESS_ALL_ACCESS), D(none),
              D(nobody)) },
        { ROW(NtOpenProcess, 4, D(out_handle), V(PROCESS_ALL_ACCESS), D(none),
              D(mine)), .undo = close_out },
        { ROW(NtOpenThread, 4, D(out_handle), V(THREAD_ALL_ACCESS), D(none),
              D(nobody)) },
        { ROW(NtOpenThread, 4, D(out_handle), V(THREAD_ALL_ACCESS), D(none),
              D(mine)), .undo = close_out },
        { ROW(NtAlertThread, 1, V(0x999)) },
        { ROW(NtAlertResumeThread, 2, V(0x999), D(old)) },
        { ROW(NtSuspendThread, 2, V(0x999), D(old)) },
        { ROW(NtResumeThread, 2, V(-2), D(old)), .show = show_previous },
        { ROW(NtQueueApcThread, 5, V(0x999), V(0), V(0), V(0), V(0)) },
        { ROW(NtSetInformationThread, 4, V(-2), V(99), D(old), V(4)) },
        { ROW(NtSetInformationProcess, 4, V(-1), V(99), D(old), V(4)) },
    };

    mine = NtCurrentTeb()->ClientId;
    for (ULONG i = 0; i < ARRAY_SIZE(rows); i++)
        all(&rows[i]);
}

static void handles(void)
{
    static const LONG values[] = { 0, 1, 4, 0x1234, -1, -2, -3, -6, -7, -100,
                                   0x7FFFFFFC, (LONG)0x80000000 };

    for (ULONG i = 0; i < ARRAY_SIZE(values); i++) {
        HANDLE handle = (HANDLE)(LONG_PTR)values[i];

        if (values[i] != 4)
            print("NtClose %x: %08x\n", values[i], NtClose(handle));
        if (values[i] != -1 && values[i] != 0)
            print("NtTerminateProcess %x: %08x\n", values[i],
                  NtTerminateProcess(handle, 0));
        if (values[i] != -2)
            print("NtTerminateThread %x: %08x\n", values[i],
                  NtTerminateThread(handle, 0));
    }
    print("NtYieldExecution %08x, NtTestAlert %08x\n", NtYieldExecution(),
          NtTestAlert());
}

static void drawing(void)
{
    HANDLE dc = NtUserGetDC(NULL);

    print("NtUserGetDC %d %d\n", dc != NULL, NtUserGetDC((HANDLE)8) != NULL);
    print("NtUserGetThreadState %d\n", (int)NtUserGetThreadState(1));
    print("NtGdiBitBlt %d %d %d\n",
          (int)NtGdiBitBlt(dc, -5, -5, 10, 10, NULL, 0, 0, PATCOPY, 0x00FF00,
                           0),
          (int)NtGdiBitBlt(dc, 10, 10, 10, 10, dc, -3, -3, SRCCOPY, 0, 0),
          (int)NtGdiBitBlt((HANDLE)2, 0, 0, 1, 1, NULL, 0, 0, PATCOPY, 0, 0));
    print("NtGdiFlush %08x\n", NtGdiFlush());
}

static void make_objects(void)
{
    SIZE_T size = 0x10000;
    HANDLE program;

    pages = test_pages(5);
    test_protect(NO_ACCESS, 1, PAGE_NOACCESS);
    name_objects();
    test_open(L"ntoskrnl.sym", FILE_GENERIC_READ, &file);
    NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &section_size,
                    PAGE_READWRITE, SEC_COMMIT, NULL);
    test_open(L"answers.exe", FILE_GENERIC_READ | FILE_EXECUTE, &program);
    NtCreateSection(&image_section, SECTION_ALL_ACCESS, NULL, NULL,
                    PAGE_EXECUTE, SEC_IMAGE, program);
    NtAllocateVirtualMemory(NtCurrentProcess(), &victim, 0, &size,
                            MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    victim_size = 0x1000;
    memset(buffer, '.', sizeof buffer);
    memset(&io, 0xEE, sizeof io);
    memset(&info, 0xEE, sizeof info);
    memset(&returned, 0xEE, sizeof returned);
    memset(&old, 0xEE, sizeof old);
    memset(performance, 0xEE, sizeof performance);
    memset(&state, 0xEE, sizeof state);
    memset(&out_handle, 0xEE, sizeof out_handle);
    memset(&size_returned, 0xEE, sizeof size_returned);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    make_objects();
    handles();
    files();
    memory();
    queries();
    make_waitables();
    creations();
    changes();
    waits_and_handles();
    threads_and_processes();
    drawing();
    return STATUS_SUCCESS;
}
