/*
 * ist.c - NMI, #MC and #DB between SYSCALL and the first instruction of its
 * door (A2, D1, D2, D10): gs is the TEB's there, and rsp the program's.
 *
 * tests/kernel/ist.c leads SYSCALL to an instruction that raises the vector
 * and goes on at the door.  The calls must be as without; so must the TEB,
 * which is what the kernel would take for its own block, the stack below rsp,
 * which it would push to, and all that a call keeps.  With KVA shadow CR3 is
 * the program's there, too.
 */
#include "test.h"

#include "../../programs/lib/call.h"
#include "../../programs/lib/door.h"

#define LEAD_SYSCALL 0x51
#define CALLS 100
#define PAINT 0x5A5A5A5A00000000ULL
#define BELOW 0x400                     /* bytes of the stack, below a call */

typedef NTSTATUS self_test(ULONG test, ULONGLONG argument);

static self_test *test;
static struct call call;
static UCHAR teb[sizeof(TEB)];
static ULONGLONG stack[512] __attribute__((aligned(16)));

static BOOLEAN is_kept(const struct registers *in, const struct registers *out)
{
    return in->Rbx == out->Rbx && in->Rbp == out->Rbp && in->Rsi == out->Rsi &&
           in->Rdi == out->Rdi && in->R12 == out->R12 && in->R14 == out->R14 &&
           in->R15 == out->R15 &&
           memcmp(&in->Xmm[6], &out->Xmm[6], 10 * sizeof in->Xmm[6]) == 0;
}

/* In the middle of a stack of numbers. */
static void check_call(ULONG number)
{
    static const ULONGLONG arguments[4] = { 1, 2, 3, 4 };

    for (ULONG i = 0; i < ARRAY_SIZE(stack); i++)
        stack[i] = PAINT + i;
    call_prepare(&call, (void *)(ULONG_PTR)call_raw_on_stack, 4, arguments);
    call.in.Rax = number;
    call.in.R12 = (ULONG_PTR)&stack[BELOW / sizeof stack[0]];
    call_with_registers(&call);
    CHECK_STATUS(call.out.Rax, STATUS_SUCCESS);
    CHECK(call.out.Rdx == 0 && call.out.R10 == 0);
    CHECK(is_kept(&call.in, &call.out));
    for (ULONG i = 0; i < ARRAY_SIZE(stack); i++)
        CHECK(stack[i] == PAINT + i);
}

static void check_vector(ULONG vector, ULONG number)
{
    ULONG failed = 0;

    CHECK_STATUS(test(LEAD_SYSCALL, vector), STATUS_SUCCESS);
    memcpy(teb, NtCurrentTeb(), sizeof teb);
    for (ULONG i = 0; i < CALLS; i++)
        check_call(number);
    failed = memcmp(teb, NtCurrentTeb(), sizeof teb) != 0;
    CHECK_STATUS(test(LEAD_SYSCALL, 0), STATUS_SUCCESS);
    CHECK_SAY(!failed, "vector %u: the TEB", vector);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    const void *nothing = find_stub("NtwNothing4");

    (void)peb;
    test = (self_test *)(ULONG_PTR)find_stub("NtwSelfTest");
    if (!test || !nothing)
        return STATUS_PROCEDURE_NOT_FOUND;
    check_vector(2, stub_number(nothing));
    check_vector(18, stub_number(nothing));
    check_vector(1, stub_number(nothing));
    return test_end();
}
