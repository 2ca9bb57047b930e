/*
 * callregs.c - what a system call does to its caller's registers, for every
 * service there is.
 *
 * Arguments are chosen so that each service returns, whatever its answer:
 * handles and pointers that are none. The contract is flow.md's for Windows
 * 10: rax the result, rcx and r11 what SYSCALL put there, rdx and r10 zero, r8
 * and r9 the user's rsp and rbp, xmm0-5 zero; all else as it was.
 */
#include "test.h"

#define SERVICE(table, number, stack_args, argc, name) \
    { #name, number, argc },

static const struct row {
    const char *name;
    ULONG number, count;
} rows[] = {
#include "services.inc.c"
};

#define BEHIND_SYSCALL 20                       /* in ntdll's stub */
#define BEHIND_RAW_SYSCALL 5                    /* in call_raw */
#define MXCSR_OTHER 0x7F80                      /* rounds toward zero */
#define RFLAGS_IF 0x200
#define RFLAGS_DF 0x400
#define RFLAGS_NT 0x4000
#define RFLAGS_AC 0x40000
#define RFLAGS_ID 0x200000

static struct call call;

static void check_general(const char *name, ULONGLONG behind)
{
    const struct registers *in = &call.in, *out = &call.out;
    const ULONGLONG *before = &in->Rax, *after = &out->Rax;
    static const UCHAR kept[] = { 3, 4, 5, 6, 7, 12, 13, 14, 15 };
    static const char *const names[] = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9",
        "r10", "r11", "r12", "r13", "r14", "r15" };
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(kept); at++)
        CHECK_SAY(before[kept[at]] == after[kept[at]],
                  "%s: %s %llx is %llx", name, names[kept[at]],
                  before[kept[at]], after[kept[at]]);
    CHECK_SAY(out->Rcx == behind, "%s: rcx %llx, not %llx", name, out->Rcx,
              behind);
    CHECK_SAY(out->R11 == out->Rflags, "%s: r11 %llx, rflags %llx", name,
              out->R11, out->Rflags);
    CHECK_SAY(out->Rdx == 0, "%s: rdx %llx", name, out->Rdx);
    CHECK_SAY(out->R10 == 0, "%s: r10 %llx", name, out->R10);
    CHECK_SAY(out->R8 == in->Rsp - 8, "%s: r8 %llx, rsp %llx", name, out->R8,
              in->Rsp - 8);
    CHECK_SAY(out->R9 == in->Rbp, "%s: r9 %llx, rbp %llx", name, out->R9,
              in->Rbp);
}

static void check_vectors(const char *name)
{
    const struct registers *in = &call.in, *out = &call.out;
    ULONG at;

    for (at = 0; at < 6; at++)
        CHECK_SAY(out->Xmm[at].Low == 0 && out->Xmm[at].High == 0,
                  "%s: xmm%u is not zero", name, at);
    for (at = 6; at < 16; at++)
        CHECK_SAY(!memcmp(&in->Xmm[at], &out->Xmm[at], sizeof(M128A)),
                  "%s: xmm%u is not kept", name, at);
    CHECK_SAY(call.mxcsr_in == call.mxcsr_out, "%s: mxcsr %x is %x", name,
              call.mxcsr_in, call.mxcsr_out);
}

static const ULONGLONG harmless[18] = { 0x1234 };

static void check_stub(const struct row *row)
{
    UCHAR *stub = find_stub(row->name);

    if (!CHECK_SAY(stub != NULL, "ntdll has no %s", row->name))
        return;
    CHECK_SAY(stub_number(stub) == row->number, "%s has number %x", row->name,
              stub_number(stub));
    call_prepare(&call, stub, row->count, harmless);
    call.mxcsr_in = MXCSR_OTHER;
    call_with_registers(&call);
    check_general(row->name, (ULONGLONG)stub + BEHIND_SYSCALL);
    check_vectors(row->name);
}

/* Without a stub, rflags go in and come back untouched. */
static void check_flags(ULONG more)
{
    call_prepare(&call, call_raw, 1, harmless);
    call.in.Rax = stub_number(find_stub("NtClose"));
    call.in.Rflags |= more;
    call_with_registers(&call);
    check_general("raw NtClose", (ULONGLONG)call_raw + BEHIND_RAW_SYSCALL);
    check_vectors("raw NtClose");
    CHECK_STATUS(call.out.Rax, STATUS_INVALID_HANDLE);
    CHECK_SAY(call.out.Rflags == call.in.Rflags, "rflags %llx are %llx",
              call.in.Rflags, call.out.Rflags);
}

/* A number that leads nowhere takes the same way out. */
static void check_wrong_number(void)
{
    call_prepare(&call, call_raw, 1, harmless);
    call.in.Rax = 0xFFF;
    call_with_registers(&call);
    check_general("number FFF", (ULONGLONG)call_raw + BEHIND_RAW_SYSCALL);
    check_vectors("number FFF");
    CHECK_STATUS(call.out.Rax, STATUS_INVALID_SYSTEM_SERVICE);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    ULONG at;

    (void)peb;
    for (at = 0; at < ARRAY_SIZE(rows); at++)
        check_stub(&rows[at]);
    check_flags(0);
    check_flags(RFLAGS_DF);
    check_flags(RFLAGS_NT);
    check_flags(RFLAGS_AC);
    check_flags(RFLAGS_ID);
    check_wrong_number();
    return test_end();
}
