/*
 * gate.c - 64-bit code in a 32-bit process: it makes real system calls, comes
 * back, and finds nothing of the kernel in the registers that 32-bit code
 * cannot see.
 *
 * Scenarios: G1.
 */
#include "../test.h"

#include "../../../programs/lib/i386/call.h"

#include "gate.h"
#include "services.h"

#define TURNS 500
#define CODE64 0x2B
#define CODE32 0x1B
#define EFLAGS_IF 0x200
#define LANDED 0x103
#define WOW64_TEB 0x7FFDC000U                   /* the 64-bit one */
#define WOW64_PEB 0x7FFDB000U
#define GARBAGE 0xDEADBEEF00000000ULL

/* XP's, as 32-bit code asks for them. */
#define XP_CONTINUE 0x20
#define XP_CLOSE 0x19
#define XP_QUERY_VIRTUAL_MEMORY 0xB2

#define SERVICE32(table, number, letters, routine, name) { number, #name },

static const struct service {
    ULONG number;
    const char *name;
} services32[] = {
    { 0xFFF, "number FFF" },
#include "services32.inc.c"
};

struct process_basic_information64 {
    NTSTATUS ExitStatus;
    ULONG unused1;
    ULONGLONG PebBaseAddress;
    ULONGLONG AffinityMask;
    LONG BasePriority;
    ULONG unused2;
    ULONGLONG UniqueProcessId;
    ULONGLONG InheritedFromUniqueProcessId;
};

struct memory_basic_information64 {
    ULONGLONG BaseAddress, AllocationBase;
    ULONG AllocationProtect, unused1;
    ULONGLONG RegionSize;
    ULONG State, Protect, Type, unused2;
};

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R12 = 12, R13, R14, R15 };

static const char *const names[] = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10",
    "r11", "r12", "r13", "r14", "r15" };

static ULONGLONG by_int2e;

/* Number and up to 6 arguments; what comes with every call is checked. */
static NTSTATUS call64(ULONG number, ULONGLONG a1, ULONGLONG a2, ULONGLONG a3,
                       ULONGLONG a4, ULONGLONG a5, ULONGLONG a6)
{
    static struct gate_call call;

    call = (struct gate_call){
        .number = GARBAGE | number, .by_int2e = by_int2e,
        .arguments = { a1, a2, a3, a4, a5, a6 } };
    gate_call(&call);
    CHECK_SAY((USHORT)call.cs == CODE64, "cs %llx", call.cs);
    CHECK_SAY(call.teb == WOW64_TEB, "gs:[30h] %llx", call.teb);
    CHECK_SAY(call.r11 & EFLAGS_IF && call.r11 <= 0xFFFFFFFF, "r11 %llx",
              call.r11);
    if (!by_int2e)
        CHECK_SAY(call.rcx == (ULONG)gate_call_syscall_behind, "rcx %llx",
                  call.rcx);
    CHECK_SAY(call.rax <= 0xFFFFFFFF, "rax %llx", call.rax);
    return (NTSTATUS)call.rax;
}

static void check_time(void)
{
    LARGE_INTEGER before, time = { .QuadPart = 0 }, after;

    CHECK_STATUS(NtQuerySystemTime(&before), STATUS_SUCCESS);
    CHECK_STATUS(call64(SERVICE_NtQuerySystemTime, (ULONG)&time, 0, 0, 0, 0,
                        0), STATUS_SUCCESS);
    CHECK_STATUS(NtQuerySystemTime(&after), STATUS_SUCCESS);
    CHECK(before.QuadPart <= time.QuadPart &&
          time.QuadPart <= after.QuadPart);
}

/* One argument from the stack, and the 64-bit structure. */
static void check_process(void)
{
    struct process_basic_information64 basic;
    PROCESS_BASIC_INFORMATION mine;
    ULONG length = 0;

    memset(&basic, 0xEE, sizeof basic);
    CHECK_STATUS(call64(SERVICE_NtQueryInformationProcess, ~0ULL, 0,
                        (ULONG)&basic, sizeof basic, (ULONG)&length, 0),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtQueryInformationProcess(NtCurrentProcess(), 0, &mine,
                                           sizeof mine, NULL),
                 STATUS_SUCCESS);
    CHECK(length == sizeof basic);
    CHECK(basic.PebBaseAddress == WOW64_PEB &&
          mine.PebBaseAddress == NtCurrentPeb());
    CHECK(basic.UniqueProcessId == (ULONG)mine.UniqueProcessId &&
          basic.BasePriority == mine.BasePriority);
    CHECK_STATUS(call64(SERVICE_NtQueryInformationProcess, ~0ULL, 0,
                        (ULONG)&basic, sizeof mine, 0, 0),
                 STATUS_INFO_LENGTH_MISMATCH);
}

/* Two from the stack. */
static void check_memory(void)
{
    struct memory_basic_information64 memory;
    ULONGLONG length = 0;

    memset(&memory, 0xEE, sizeof memory);
    CHECK_STATUS(call64(SERVICE_NtQueryVirtualMemory, ~0ULL, (ULONG)call64,
                        0, (ULONG)&memory, sizeof memory, (ULONG)&length),
                 STATUS_SUCCESS);
    CHECK(length == sizeof memory && memory.State == MEM_COMMIT &&
          memory.Protect == PAGE_EXECUTE_READ &&
          memory.AllocationBase == (ULONG)NtCurrentPeb()->ImageBaseAddress);
}

/* A 64-bit process's pointers go to 2^47; here nobody has memory there. */
static void check_refusals(void)
{
    CHECK_STATUS(call64(0xFFF, 0, 0, 0, 0, 0, 0),
                 STATUS_INVALID_SYSTEM_SERVICE);
    CHECK_STATUS(call64(SERVICE_NtClose, 0x1234, 0, 0, 0, 0, 0),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(call64(SERVICE_NtQuerySystemTime, 0x80000000, 0, 0, 0, 0, 0),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(call64(SERVICE_NtQuerySystemTime, 0x123456789000, 0, 0, 0, 0,
                        0), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(call64(SERVICE_NtQuerySystemTime, 0xFFFFF78000000000ULL, 0,
                        0, 0, 0, 0), STATUS_ACCESS_VIOLATION);
}

/* XP's calls of 32-bit code in between. */
static void check_turn(void)
{
    LARGE_INTEGER time;

    check_time();
    check_process();
    CHECK_STATUS(NtQuerySystemTime(&time), STATUS_SUCCESS);
    check_memory();
    check_refusals();
    CHECK_STATUS(NtClose((HANDLE)0x1234), STATUS_INVALID_HANDLE);
    CHECK(NtCurrentTeb()->NtTib.Self == (void *)NtCurrentTeb());
}

/*
 * What 64-bit code finds after a call of 32-bit code: its own, or nothing.  No
 * register's upper half is the kernel's.
 */
static void check_registers(const struct gate_scrub *scrub, const char *how)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(scrub->out); at++) {
        ULONGLONG out = scrub->out[at], in = scrub->in[at];

        CHECK_SAY(out >> 32 == in >> 32 || out >> 32 == 0,
                  "%s: %s %llx is %llx", how, names[at], in, out);
    }
    for (at = R8; at < R12; at++)
        CHECK_SAY(scrub->out[at] == 0 || scrub->out[at] == scrub->in[at],
                  "%s: %s %llx is %llx", how, names[at], scrub->in[at],
                  scrub->out[at]);
}

/* Registers that a call keeps, whole. */
static void check_kept(const struct gate_scrub *scrub, const char *how)
{
    static const UCHAR kept[] = { RBX, RSI, RDI, R12, R13, R14, R15 };
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(kept); at++)
        CHECK_SAY(scrub->out[kept[at]] == scrub->in[kept[at]],
                  "%s: %s %llx is %llx", how, names[kept[at]],
                  scrub->in[kept[at]], scrub->out[kept[at]]);
    CHECK_SAY(scrub->out[RBP] == (scrub->in[RBP] | (ULONG)scrub),
              "%s: rbp is %llx", how, scrub->out[RBP]);
    CHECK_SAY(scrub->out[RAX] <= 0xFFFFFFFF, "%s: rax %llx", how,
              scrub->out[RAX]);
}

/* Upper halves that 32-bit code cannot see are garbage, too. */
static struct gate_scrub prepare_scrub(const struct door *door,
                                       struct door_stack *stack, ULONG number)
{
    struct gate_scrub scrub = { .by_sysenter = door->below != 0 };
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(scrub.in); at++)
        scrub.in[at] = (0xA0 + at) * 0x0101010101010101ULL;
    scrub.in[RAX] = GARBAGE | number;
    scrub.in[RDX] = GARBAGE | ((ULONG)stack->arguments - door->below);
    scrub.in[RSP] = scrub.in[RBP] = GARBAGE;
    stack->back = gate_scrub_behind;
    return scrub;
}

static void check_refused(const struct door *door, const struct service *row)
{
    struct door_stack stack = { .arguments = { 0x1234 } };
    struct gate_scrub scrub = prepare_scrub(door, &stack, row->number);

    gate_scrub(&scrub);
    check_registers(&scrub, row->name);
    check_kept(&scrub, row->name);
}

static void check_answered(const struct door *door)
{
    static MEMORY_BASIC_INFORMATION memory;
    static SIZE_T length;
    struct door_stack stack = { .arguments = {
        (ULONG)NtCurrentProcess(), (ULONG)&memory, MemoryBasicInformation,
        (ULONG)&memory, sizeof memory, (ULONG)&length } };
    struct gate_scrub scrub = prepare_scrub(door, &stack,
                                            XP_QUERY_VIRTUAL_MEMORY);

    length = 0;
    gate_scrub(&scrub);
    CHECK_STATUS(scrub.out[RAX], STATUS_SUCCESS);
    CHECK(length == sizeof memory && memory.State == MEM_COMMIT);
    check_registers(&scrub, "NtQueryVirtualMemory");
    check_kept(&scrub, "NtQueryVirtualMemory");
}

/* Without the integer part the context says nothing of r12 to r15. */
static void check_continued(const struct door *door, ULONG flags)
{
    static CONTEXT context;
    struct door_stack stack = { .arguments = { (ULONG)&context, FALSE } };
    struct gate_scrub scrub = prepare_scrub(door, &stack, XP_CONTINUE);
    ULONG at;

    memset(&context, 0, sizeof context);
    context.ContextFlags = flags;
    context.Eip = (ULONG)gate_scrub_behind;
    context.Ebp = (ULONG)&scrub;
    context.Eax = LANDED;
    context.EFlags = 0x202;
    gate_scrub(&scrub);
    CHECK_STATUS(scrub.out[RAX], flags == CONTEXT_CONTROL ? 0 : LANDED);
    check_registers(&scrub, "NtContinue");
    for (at = R8; at <= R15; at++)
        CHECK_SAY(scrub.out[at] == 0, "NtContinue: %s is %llx", names[at],
                  scrub.out[at]);
}

/* XP's agreement holds in such a process whatever code it runs. */
static void check_sysenter(void)
{
    struct door_stack stack = { .back = gate_sysenter_behind,
                                .arguments = { 0x1234 } };
    struct gate_sysenter call = { .rax = GARBAGE | XP_CLOSE,
                                  .rdx = GARBAGE | (ULONG)&stack,
                                  .rsp = 0x8000000000000000ULL };

    gate_sysenter(&call);
    CHECK_STATUS(call.eax, STATUS_INVALID_HANDLE);
    CHECK_SAY((USHORT)call.cs == CODE32, "cs %x", call.cs);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const struct door *door;
    ULONG turn, at;

    (void)peb;
    for (turn = 0; turn < TURNS; turn++) {
        by_int2e = turn & 1;
        test_where(by_int2e ? "64-bit int2e" : "64-bit syscall");
        check_turn();
    }
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        for (at = 0; at < ARRAY_SIZE(services32); at++)
            check_refused(door, &services32[at]);
        check_answered(door);
        check_continued(door, CONTEXT_CONTROL);
        check_continued(door, CONTEXT_CONTROL | CONTEXT_INTEGER);
    }
    if (doors_end() == doors + 2)
        check_sysenter();
    return test_end();
}
