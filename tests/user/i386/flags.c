/*
 * flags.c - every flag that 32-bit code can set, before every door.
 *
 * INT 2Eh clears TF, NT and RF, SYSENTER clears RF alone: the kernel must get
 * rid of the others, and give them back.  A service that copies on both sides
 * shows that it has not seen them: the direction flag would turn its copies
 * round, AC would open SMAP, NT would make its next IRET a fault.  TF ends the
 * program: once step_*.
 */
#include "../test.h"

#include "../../../programs/lib/i386/call.h"

#include "xp.h"
#include "landing.h"

#define EFLAGS_FIXED 0x202                      /* bit 1, and interrupts on */
#define EFLAGS_DF 0x400
#define EFLAGS_NT 0x4000
#define EFLAGS_RF 0x10000
#define EFLAGS_AC 0x40000
#define EFLAGS_ID 0x200000

static const ULONG settable[] = { EFLAGS_DF, EFLAGS_NT, EFLAGS_AC, EFLAGS_ID };

static const struct door *door;
static struct door_stack stack;
static HANDLE file;
static UCHAR expected[200], bytes[sizeof expected + 16];

static void check_flags(ULONG flags)
{
    static struct call call;
    static IO_STATUS_BLOCK io;
    static LARGE_INTEGER offset = { .QuadPart = 0 };
    const ULONG arguments[] = {
        (ULONG)file, 0, 0, 0, (ULONG)&io, (ULONG)(bytes + 8),
        sizeof expected, (ULONG)&offset, 0 };

    memset(bytes, 0xEE, sizeof bytes);
    memset(&io, 0xEE, sizeof io);
    memcpy(stack.arguments, arguments, sizeof arguments);
    call_prepare(&call, NULL);
    call.in.Eflags |= flags;
    CHECK_STATUS(call_by_door(&call, door, SERVICE_NtReadFile, &stack),
                 STATUS_SUCCESS);
    CHECK_SAY(call.out.Eflags == call.in.Eflags, "eflags %x are %x",
              call.in.Eflags, call.out.Eflags);
    CHECK(io.Information == sizeof expected);
    CHECK_SAY(!memcmp(bytes + 8, expected, sizeof expected) &&
              bytes[7] == 0xEE && bytes[8 + sizeof expected] == 0xEE,
              "eflags %x: not what the file has", call.in.Eflags);
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
    static struct landed got;
    static SYSTEM_BASIC_INFORMATION basic;
    static ULONG length;
    const ULONG arguments[] = { SystemBasicInformation, (ULONG)&basic,
                                sizeof basic, (ULONG)&length };

    basic.PageSize = length = 0;
    memcpy(stack.arguments, arguments, sizeof arguments);
    stack.back = landing;
    memset(&context, 0xEE, sizeof context);
    context.ContextFlags = CONTEXT_CONTROL | CONTEXT_INTEGER;
    context.EFlags = EFLAGS_FIXED | EFLAGS_RF | flags;
    context.Eip = (ULONG)(door->below ? land_by_sysenter : land_by_int2e);
    context.Eax = SERVICE_NtQuerySystemInformation;
    context.Edx = (ULONG)stack.arguments - door->below;
    continue_and_land(&context, &got);
    CHECK_STATUS(got.eax, STATUS_SUCCESS);
    CHECK(basic.PageSize == PAGE_SIZE && length == sizeof basic);
    CHECK(got.ebx == context.Ebx && got.edi == context.Edi);
    CHECK(got.esp == (door->below ? context.Edx + 4 : context.Esp));
    CHECK_SAY(got.eflags == (EFLAGS_FIXED | flags), "eflags are %x",
              got.eflags);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    LARGE_INTEGER offset = { .QuadPart = 0 };
    IO_STATUS_BLOCK io;

    (void)peb;
    CHECK_STATUS(test_open(L"flags.exe", FILE_GENERIC_READ, &file),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtReadFile(file, NULL, NULL, NULL, &io, expected,
                            sizeof expected, &offset, NULL), STATUS_SUCCESS);
    CHECK(expected[0] == 'M' && expected[1] == 'Z');
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        check_combinations();
        check_resume(0);
        check_resume(EFLAGS_DF);
        check_resume(EFLAGS_ID);
        check_resume(EFLAGS_DF | EFLAGS_ID);
    }
    return test_end();
}
