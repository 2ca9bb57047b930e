/*
 * context.c - NtContinue: every register of a CONTEXT arrives, none that ring
 * 3 must not have does, and a bad CONTEXT is a status.
 *
 * landing.asm does the travelling. What ends a process is in crash.c.
 *
 * Scenarios: B10, B12, L2.
 */
#include "test.h"

#include "../../programs/lib/call.h"

#define LANDED 0x103
#define RFLAGS_FIXED 0x202                      /* bit 1, and interrupts on */
#define RFLAGS_ARITHMETIC 0x8D5
#define RFLAGS_DF 0x400
#define RFLAGS_FORBIDDEN 0x1B7000               /* IOPL NT RF VM VIF VIP */
#define MXCSR_OTHER 0x5F80

NTSTATUS continue_and_land(CONTEXT *context, struct registers *registers);
void landing(void);

static CONTEXT context;
static struct registers got;

/* Register n holds n in each byte, and n + 16 in xmm n. */
static void prepare(ULONG flags)
{
    ULONGLONG *general = &context.Rax;
    ULONG at;

    RtlCaptureContext(&context);
    for (at = 0; at < 16; at++) {
        if (&general[at] != &context.Rsp)
            general[at] = 0x0101010101010101ULL * (at + 1);
        context.FltSave.XmmRegisters[at].Low = 0x0101010101010101ULL *
                                               (at + 17);
        context.FltSave.XmmRegisters[at].High = ~at;
    }
    context.Rip = (ULONGLONG)landing;
    context.EFlags = RFLAGS_FIXED | RFLAGS_ARITHMETIC;
    context.MxCsr = context.FltSave.MxCsr = MXCSR_OTHER;
    context.ContextFlags = flags;
    memset(&got, 0xEE, sizeof got);
}

static ULONGLONG general_of(const struct registers *registers, ULONG at)
{
    return (&registers->Rax)[at];
}

static void check_all(void)
{
    ULONG at;

    prepare(CONTEXT_FULL);
    context.Rsp -= 0x400;
    if (!CHECK_STATUS(continue_and_land(&context, &got), LANDED))
        return;
    for (at = 0; at < 16; at++)
        CHECK_SAY(general_of(&got, at) == (&context.Rax)[at],
                  "register %u is %llx, not %llx", at, general_of(&got, at),
                  (&context.Rax)[at]);
    for (at = 0; at < 16; at++)
        CHECK_SAY(!memcmp(&got.Xmm[at], &context.FltSave.XmmRegisters[at],
                          sizeof(M128A)), "xmm%u", at);
    CHECK(got.Rflags == context.EFlags);
    CHECK_SAY((ULONG)got.unused == MXCSR_OTHER, "mxcsr %x",
              (ULONG)got.unused);
}

/* A part that ContextFlags does not name is not looked at. */
static void check_control_only(void)
{
    prepare(CONTEXT_CONTROL);
    if (!CHECK_STATUS(continue_and_land(&context, &got), LANDED))
        return;
    CHECK(got.Rsp == context.Rsp);
    CHECK(got.Rflags == context.EFlags);
    CHECK(got.R12 != context.R12);
    CHECK((ULONG)got.unused != MXCSR_OTHER);
}

/* Flags of ring 0 are dropped, interrupts stay on, DF comes along. */
static void check_flags(void)
{
    prepare(CONTEXT_FULL);
    context.EFlags = RFLAGS_FORBIDDEN | RFLAGS_DF;
    if (!CHECK_STATUS(continue_and_land(&context, &got), LANDED))
        return;
    CHECK_SAY(!(got.Rflags & 0x3000), "IOPL arrived: %llx", got.Rflags);
    CHECK_SAY(!(got.Rflags & 0x1A0000), "VM or VIF arrived: %llx",
              got.Rflags);
    CHECK_SAY(got.Rflags & 0x200, "interrupts are off: %llx", got.Rflags);
    CHECK_SAY(got.Rflags & RFLAGS_DF, "DF is lost: %llx", got.Rflags);
}

/* Selectors in a CONTEXT do not choose the ring. */
static void check_selectors(void)
{
    USHORT cs, ss;

    prepare(CONTEXT_FULL | CONTEXT_SEGMENTS);
    context.SegCs = 0x08;
    context.SegSs = 0x10;
    context.SegDs = context.SegEs = context.SegFs = context.SegGs = 0xFFFF;
    if (!CHECK_STATUS(continue_and_land(&context, &got), LANDED))
        return;
    __asm__ volatile("movw %%cs, %0\n\tmovw %%ss, %1" : "=r"(cs), "=r"(ss));
    CHECK_SAY((cs & 3) == 3 && (ss & 3) == 3, "cs %x ss %x", cs, ss);
    CHECK(NtCurrentTeb()->NtTib.Self == NtCurrentTeb());
}

/* Bits of MXCSR that the processor does not have would fault in ring 0. */
static void check_bad_mxcsr(void)
{
    prepare(CONTEXT_FULL);
    context.MxCsr = context.FltSave.MxCsr = 0xFFFFFFFF;
    context.FltSave.MxCsr_Mask = 0xFFFFFFFF;
    if (CHECK_STATUS(continue_and_land(&context, &got), LANDED))
        CHECK_SAY(!(got.unused & 0xFFFF0000), "mxcsr %x", (ULONG)got.unused);
}

static void check_pointer(ULONGLONG address, NTSTATUS expected)
{
    NTSTATUS status = continue_and_land((CONTEXT *)address, &got);

    CHECK_SAY(status == expected, "CONTEXT at %llx: %08x, not %08x", address,
              status, expected);
}

static void check_pointers(void)
{
    UCHAR *pages = test_pages(2);

    prepare(CONTEXT_FULL);
    check_pointer(0, STATUS_ACCESS_VIOLATION);
    check_pointer(0x00007FFFFFFF0000ULL, STATUS_ACCESS_VIOLATION);
    check_pointer(0x0000800000000000ULL, STATUS_ACCESS_VIOLATION);
    check_pointer(0xFFFFF78000000000ULL, STATUS_ACCESS_VIOLATION);
    check_pointer(0xFFFFFFFFFFFFFFF0ULL, STATUS_ACCESS_VIOLATION);
    check_pointer((ULONGLONG)pages + 1, STATUS_DATATYPE_MISALIGNMENT);
    check_pointer((ULONGLONG)pages + 8, STATUS_DATATYPE_MISALIGNMENT);
    test_protect(pages + PAGE_SIZE, 1, PAGE_NOACCESS);
    memcpy(pages + PAGE_SIZE - sizeof context + 16, &context,
           sizeof context - 16);
    check_pointer((ULONGLONG)pages + PAGE_SIZE - sizeof context + 16,
                  STATUS_ACCESS_VIOLATION);
    memcpy(pages + PAGE_SIZE - sizeof context, &context, sizeof context);
    check_pointer((ULONGLONG)pages + PAGE_SIZE - sizeof context, LANDED);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_all();
    check_control_only();
    check_flags();
    check_selectors();
    check_bad_mxcsr();
    check_pointers();
    return test_end();
}
