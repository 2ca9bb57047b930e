/*
 * flags.c - every flag that ring 3 can set, before every door.
 *
 * SYSCALL clears what FMASK names, INT 2Eh clears TF, NT and RF, SYSENTER
 * clears RF alone: the kernel must get rid of the others, and give them back.
 * A service that copies on both sides shows that it has not seen them: the
 * direction flag would turn its copies round, AC would open SMAP, NT would
 * make its next IRET a fault.  TF ends the program: crash step_*.
 *
 * "flags ac DOOR" (test build) sets AC and asks ring 0 to read user memory
 * outside of a window: where there is SMAP that must be a bugcheck.
 *
 * Scenarios: B10, F1, F2.
 */
#include "test.h"

#include "../../programs/lib/door.h"
#include "services.h"

#define RFLAGS_FIXED 0x202                      /* bit 1, and interrupts on */
#define RFLAGS_DF 0x400
#define RFLAGS_NT 0x4000
#define RFLAGS_RF 0x10000
#define RFLAGS_AC 0x40000
#define RFLAGS_ID 0x200000
#define LANDED 0x103
#define CRASH_USER_READ 0x106                   /* tests/kernel/selftest.c */

NTSTATUS continue_and_land(CONTEXT *context, struct registers *registers);
void landing(void);
void land_by_syscall(void);
void land_by_int2e(void);
void land_by_sysenter(void);

static const ULONG settable[] = { RFLAGS_DF, RFLAGS_NT, RFLAGS_AC, RFLAGS_ID };
static void (*const landing_doors[])(void) = {
    land_by_syscall, land_by_int2e, land_by_sysenter,
};

static const struct door *door;
static HANDLE file;
static UCHAR expected[200], bytes[sizeof expected + 16];

/* NtReadFile: five of nine arguments come from the stack. */
static void check_flags(ULONG flags)
{
    static struct call call;
    static IO_STATUS_BLOCK io;
    static LARGE_INTEGER offset = { .QuadPart = 0 };
    const ULONGLONG arguments[] = {
        (ULONGLONG)file, 0, 0, 0, (ULONGLONG)&io, (ULONGLONG)(bytes + 8),
        sizeof expected, (ULONGLONG)&offset, 0 };

    memset(bytes, 0xEE, sizeof bytes);
    memset(&io, 0xEE, sizeof io);
    call_prepare(&call, door->raw, ARRAY_SIZE(arguments), arguments);
    call.in.Rax = stub_number(find_stub("NtReadFile"));
    call.in.Rflags |= flags;
    call_with_registers(&call);
    CHECK_STATUS(call.out.Rax, STATUS_SUCCESS);
    CHECK_SAY(call.out.Rflags == call.in.Rflags, "rflags %llx are %llx",
              call.in.Rflags, call.out.Rflags);
    CHECK_SAY(call.out.R11 == call.in.Rflags, "rflags %llx, r11 %llx",
              call.in.Rflags, call.out.R11);
    CHECK(io.Information == sizeof expected);
    CHECK_SAY(!memcmp(bytes + 8, expected, sizeof expected) &&
              bytes[7] == 0xEE && bytes[8 + sizeof expected] == 0xEE,
              "rflags %llx: not what the file has", call.in.Rflags);
}

static void check_combinations(void)
{
    ULONG which, at;

    for (which = 0; which < 1 << ARRAY_SIZE(settable); which++) {
        ULONG flags = 0;

        for (at = 0; at < ARRAY_SIZE(settable); at++)
            if (which >> at & 1)
                flags |= settable[at];
        check_flags(flags);
    }
}

/* RF cannot be set by POPF: NtContinue to the door's instruction. */
static void check_resume(ULONG flags)
{
    static CONTEXT context;
    static struct registers got;
    static SYSTEM_BASIC_INFORMATION basic;
    static ULONG length;

    basic.PageSize = length = 0;
    RtlCaptureContext(&context);
    context.ContextFlags = CONTEXT_FULL;
    context.EFlags = RFLAGS_FIXED | RFLAGS_RF | flags;
    context.Rip = (ULONGLONG)landing_doors[door - doors];
    context.Rsp -= 0x400;
    context.Rax = stub_number(find_stub("NtQuerySystemInformation"));
    context.R10 = SystemBasicInformation;
    context.Rdx = (ULONGLONG)&basic;
    context.R8 = sizeof basic;
    context.R9 = (ULONGLONG)&length;
    context.Rcx = (ULONGLONG)landing;
    context.R11 = context.Rsp;
    if (!CHECK_STATUS(continue_and_land(&context, &got), LANDED))
        return;
    CHECK_STATUS(got.Rax, STATUS_SUCCESS);
    CHECK(basic.PageSize == PAGE_SIZE && length == sizeof basic);
    CHECK(got.Rsp == context.Rsp && got.Rbx == context.Rbx);
    CHECK_SAY(got.Rflags == (RFLAGS_FIXED | flags), "rflags are %llx",
              got.Rflags);
    /* QEMU's INT saves RF with the others; SYSRET does not load it. */
    CHECK_SAY((got.R11 & ~(ULONGLONG)RFLAGS_RF) == got.Rflags,
              "rflags %llx, r11 %llx", got.Rflags, got.R11);
}

/*
 * NtContinue leaves by IRETQ, which is a fault while NT is set.  The context
 * is of before, so that none of the flags comes back.
 */
static void check_continue(ULONG flags)
{
    static volatile ULONG arrivals;
    static CONTEXT context;

    arrivals = 0;
    RtlCaptureContext(&context);
    if (arrivals++ == 0) {
        __asm__ volatile("pushfq\n\torl %0, (%%rsp)\n\tpopfq"
                         : : "r"(flags) : "memory", "cc");
        door->call(SERVICE_NtContinue, &context, FALSE);
        CHECK_SAY(FALSE, "NtContinue came back");
    }
    CHECK(arrivals == 2);
}

static NTSTATUS read_with_ac(const char *name)
{
    static struct call call;
    const ULONGLONG arguments[] = { CRASH_USER_READ, (ULONGLONG)expected };

    door = door_named(name);
    call_prepare(&call, door->raw, ARRAY_SIZE(arguments), arguments);
    call.in.Rax = stub_number(find_stub("NtwSelfTest"));
    call.in.Rflags |= RFLAGS_AC;
    call_with_registers(&call);
    return (NTSTATUS)call.out.Rax;
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    LARGE_INTEGER offset = { .QuadPart = 0 };
    IO_STATUS_BLOCK io;

    (void)peb;
    if (!strncmp(test_words(), "ac ", 3))
        return read_with_ac(test_words() + 3);
    CHECK_STATUS(test_open(L"flags.exe", FILE_GENERIC_READ, &file),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtReadFile(file, NULL, NULL, NULL, &io, expected,
                            sizeof expected, &offset, NULL), STATUS_SUCCESS);
    CHECK(expected[0] == 'M' && expected[1] == 'Z');
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        check_combinations();
        check_resume(0);
        check_resume(RFLAGS_DF);
        check_resume(RFLAGS_ID);
        check_resume(RFLAGS_DF | RFLAGS_ID);
        check_continue(RFLAGS_NT);
        check_continue(RFLAGS_NT | RFLAGS_AC | RFLAGS_ID);
    }
    return test_end();
}
