/*
 * callregs.c - what a system call does to its caller's registers, for every
 * service there is and by every door.
 *
 * Arguments are chosen so that each service returns, whatever its answer:
 * handles and pointers that are none.  The contract is Windows 10's: rax the
 * result, rcx and r11 what SYSCALL put there, rdx and r10 zero, r8 and r9 the
 * user's rsp and rbp, xmm0-5 zero; all else as it was.  The other doors have
 * the same exit.
 *
 * Scenarios: A1, G1, G2.
 */
#include "test.h"

#include "../../programs/lib/door.h"

#define SERVICE(table, number, stack_args, argc, name) \
    { #name, number, argc },

static const struct row {
    const char *name;
    ULONG number, count;
} rows[] = {
#include "services.inc.c"
};

#define BEHIND_SYSCALL 20                       /* in ntdll's stub */
#define BEHIND_INT2E 23                         /* with doors=int2e */
#define MXCSR_OTHER 0x7F80                      /* rounds toward zero */
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
    const KUSER_SHARED_DATA *shared = (void *)USER_SHARED_DATA;

    if (!CHECK_SAY(stub != NULL, "ntdll has no %s", row->name))
        return;
    CHECK_SAY(stub_number(stub) == row->number, "%s has number %x", row->name,
              stub_number(stub));
    call_prepare(&call, stub, row->count, harmless);
    call.mxcsr_in = MXCSR_OTHER;
    call_with_registers(&call);
    check_general(row->name, (ULONGLONG)stub + (shared->SystemCall == 1
                                                    ? BEHIND_INT2E
                                                    : BEHIND_SYSCALL));
    check_vectors(row->name);
}

/* The bare door: the upper half of rax is garbage here, not a stub's zero. */
static void check_door(const struct row *row, const struct door *door)
{
    call_prepare(&call, door->raw, row->count, harmless);
    call.in.Rax = row->number | 0xDEADBEEF00000000ULL;
    call.mxcsr_in = MXCSR_OTHER;
    call_with_registers(&call);
    check_general(row->name, (ULONGLONG)door->raw_behind);
    check_vectors(row->name);
}

/* ntdll's routine for it: what a C function keeps, and nothing else. */
static void check_routine(const struct row *row, const struct door *door)
{
    static const UCHAR kept[] = { 3, 4, 5, 6, 7, 12, 13, 14, 15 };
    const ULONGLONG *before = &call.in.Rax, *after = &call.out.Rax;
    ULONGLONG arguments[1 + 18] = { row->number, 0x1234 };
    ULONG at;

    call_prepare(&call, door->call, 1 + row->count, arguments);
    call_with_registers(&call);
    for (at = 0; at < ARRAY_SIZE(kept); at++)
        CHECK_SAY(before[kept[at]] == after[kept[at]],
                  "%s: register %u %llx is %llx", row->name, kept[at],
                  before[kept[at]], after[kept[at]]);
    for (at = 6; at < 16; at++)
        CHECK_SAY(!memcmp(&call.in.Xmm[at], &call.out.Xmm[at], sizeof(M128A)),
                  "%s: xmm%u is not kept", row->name, at);
}

/* Without a stub, rflags go in and come back untouched. */
static void check_flags(const struct door *door, ULONG more)
{
    call_prepare(&call, door->raw, 1, harmless);
    call.in.Rax = stub_number(find_stub("NtClose"));
    call.in.Rflags |= more;
    call_with_registers(&call);
    check_general("raw NtClose", (ULONGLONG)door->raw_behind);
    check_vectors("raw NtClose");
    CHECK_STATUS(call.out.Rax, STATUS_INVALID_HANDLE);
    CHECK_SAY(call.out.Rflags == call.in.Rflags, "rflags %llx are %llx",
              call.in.Rflags, call.out.Rflags);
}

/* A number that leads nowhere takes the same way out. */
static void check_wrong_number(const struct door *door)
{
    call_prepare(&call, door->raw, 1, harmless);
    call.in.Rax = 0xFFF;
    call_with_registers(&call);
    check_general("number FFF", (ULONGLONG)door->raw_behind);
    check_vectors("number FFF");
    CHECK_STATUS(call.out.Rax, STATUS_INVALID_SYSTEM_SERVICE);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    const struct door *door;
    ULONG at;

    (void)peb;
    for (at = 0; at < ARRAY_SIZE(rows); at++)
        check_stub(&rows[at]);
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        for (at = 0; at < ARRAY_SIZE(rows); at++) {
            check_door(&rows[at], door);
            check_routine(&rows[at], door);
        }
        check_flags(door, 0);
        check_flags(door, RFLAGS_DF);
        check_flags(door, RFLAGS_NT);
        check_flags(door, RFLAGS_AC);
        check_flags(door, RFLAGS_ID);
        check_wrong_number(door);
    }
    return test_end();
}
