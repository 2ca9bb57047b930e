/*
 * compat.c - 32-bit code inside a 64-bit process, before each door.
 *
 * Nothing in such a process is XP's: there is no 32-bit ntdll, no 32-bit TEB,
 * no page of XP's at 7FFE0000.  INT 2Eh from CS 1Bh is the door of XP's
 * numbers all the same, and none of them leads anywhere here.  SYSENTER does
 * not tell the kernel which code it came from, so the process's agreement
 * holds: back to rcx, in 64-bit code.  SYSCALL is crash syscall32.
 */
#include "test.h"

#include "../../programs/lib/door.h"
#include "services.h"

#define COMPAT_BASE 0x20000000ULL
#define CODE32 0x1B
#define CODE64 0x2B
#define HIGH_HALF 0xDEADBEEF00000000ULL

enum compat_place { INT2E, INT2E_BEHIND, SYSENTER, NOTHING, TO_CALLER };

/* compat.asm has the same. */
struct compat {
    ULONG offset, selector;
    ULONGLONG Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, Cs;
};

void compat_call(struct compat *compat);
extern const UCHAR compat_code[], compat_end[];
extern const ULONG compat_offsets[];

static UCHAR *stack;                            /* below 4 GiB */
static struct compat compat;

static ULONG address_of(enum compat_place place)
{
    return (ULONG)COMPAT_BASE + compat_offsets[place];
}

static void prepare(enum compat_place place)
{
    ULONGLONG *registers = &compat.Rax;
    ULONG at;

    compat.offset = address_of(place);
    compat.selector = CODE32;
    for (at = 0; at < 13; at++)
        registers[at] = 0x0101010101010101ULL * (at + 0xA0);
    compat.Rsp = (ULONGLONG)stack;
}

static void *pages_at(ULONGLONG address)
{
    void *base = (void *)address;
    SIZE_T size = PAGE_SIZE;

    CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size,
                                         MEM_RESERVE | MEM_COMMIT,
                                         PAGE_READWRITE), STATUS_SUCCESS);
    return base;
}

/* The far jumps alone: the test's own ground. */
static void check_gate(void)
{
    prepare(NOTHING);
    compat_call(&compat);
    CHECK(compat.Cs == CODE64 && (ULONG)compat.Rbx == 0xA3A3A3A3);
}

static NTSTATUS int2e(ULONG number, ULONG arguments)
{
    prepare(INT2E);
    compat.Rax = HIGH_HALF | number;
    compat.Rdx = HIGH_HALF | arguments;
    compat_call(&compat);
    return (NTSTATUS)compat.Rax;
}

/* XP's way out: eax, edx its eip, ecx its esp; nothing of ours in the rest. */
static void check_int2e_registers(void)
{
    CHECK_STATUS(int2e(0x19, (ULONG)(ULONGLONG)stack),
                 STATUS_INVALID_SYSTEM_SERVICE);
    CHECK((ULONG)compat.Rdx == address_of(INT2E_BEHIND));
    CHECK((ULONG)compat.Rcx == (ULONG)(ULONGLONG)stack);
    CHECK((ULONG)compat.Rsp == (ULONG)(ULONGLONG)stack);
    CHECK((ULONG)compat.Rbx == 0xA3A3A3A3 && (ULONG)compat.Rbp == 0xA5A5A5A5 &&
          (ULONG)compat.Rsi == 0xA6A6A6A6 && (ULONG)compat.Rdi == 0xA7A7A7A7);
    CHECK_SAY(!compat.R8 && !compat.R9 && !compat.R10 && !compat.R11,
              "r8 %llx r9 %llx r10 %llx r11 %llx", compat.R8, compat.R9,
              compat.R10, compat.R11);
}

static void check_int2e_numbers(void)
{
    static const ULONG places[] = { 0, 0x7FFE0000, 0x7FFF0000, 0xFFFFFFFC,
                                    COMPAT_BASE };
    ULONG number, at;

    for (at = 0; at < ARRAY_SIZE(places); at++)
        for (number = 0; number < 0x4000; number += at ? 0x19 : 1)
            CHECK_SAY(int2e(number, places[at]) ==
                          STATUS_INVALID_SYSTEM_SERVICE,
                      "number %x, arguments at %x: %llx", number, places[at],
                      compat.Rax);
    CHECK_STATUS(int2e(0xFFFFFFFF, 0), STATUS_INVALID_SYSTEM_SERVICE);
}

/* The 64-bit agreement: Windows 10's number, r10, back to rcx and r11. */
static void check_sysenter(void)
{
    prepare(SYSENTER);
    compat.Rax = SERVICE_NtClose;
    compat.R10 = 0x1234;
    compat.Rcx = address_of(TO_CALLER);
    compat.R11 = (ULONGLONG)stack;
    compat_call(&compat);
    CHECK_STATUS(compat.Rax, STATUS_INVALID_HANDLE);
    CHECK(compat.Cs == CODE64 && compat.Rsp == (ULONGLONG)stack);
    CHECK(compat.Rcx == address_of(TO_CALLER));
}

/* 64-bit code as before. */
static void check_after(void)
{
    const struct door *door;

    for (door = doors; door < doors_end(); door++)
        CHECK_STATUS(door->call(SERVICE_NtClose, (HANDLE)0x1234),
                     STATUS_INVALID_HANDLE);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    void *code = pages_at(COMPAT_BASE);

    (void)peb;
    stack = (UCHAR *)pages_at(COMPAT_BASE + 0x10000) + PAGE_SIZE - 0x100;
    memcpy(code, compat_code, compat_end - compat_code);
    test_protect(code, 1, PAGE_EXECUTE_READ);
    check_gate();
    check_int2e_registers();
    check_int2e_numbers();
    if (doors_end() > door_named("sysenter"))
        check_sysenter();
    check_after();
    return test_end();
}
