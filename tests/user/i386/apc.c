/*
 * apc.c - user APCs of 32-bit code to itself: XP's frame, registers and
 * floating point intact by each door, and one that comes while the thread is
 * in 64-bit code.
 */
#include "../test.h"

#include "../../../programs/lib/i386/call.h"
#include "gate.h"
#include "services.h"

#define SELF NtCurrentThread()
#define MANY 16
#define XP_TEST_ALERT 0x103
#define CONTEXT_OF_APC 0x1003F
#define FX_MXCSR_MASK 28
#define FX_END 288
#define SYSTEM_CALL_RETURN \
    (((KUSER_SHARED_DATA *)USER_SHARED_DATA)->SystemCallReturn)
#define INT2E_BEHIND ((ULONG)call_raw_int2e_behind)

static struct {
    ULONG argument1, argument2, argument3, esp;
    CONTEXT context;
} ran[MANY];
static volatile ULONG count;
static struct call call;

/* A stack: the APC's frame, and what its routine needs, goes below. */
static struct {
    UCHAR room[2 * PAGE_SIZE];
    struct door_stack top;
} stack;

/*
 * The frame as the kernel made it: the routine's address, where its return
 * address is now; its arguments; and right behind them the context.
 */
static __attribute__((noinline)) void look(ULONG at, ULONG arguments)
{
    ran[at].esp = arguments - 4;
    memcpy(&ran[at].context, (void *)(arguments + 12), sizeof(CONTEXT));
}

static void NTAPI note(void *argument1, void *argument2, void *argument3)
{
    ULONG at = count++ % MANY;

    ran[at].argument1 = (ULONG)argument1;
    ran[at].argument2 = (ULONG)argument2;
    ran[at].argument3 = (ULONG)argument3;
    look(at, (ULONG)&argument1);
}

/* Volatile registers and all of the floating point, trashed. */
static void NTAPI trash(void *argument1, void *argument2, void *argument3)
{
    static const ULONG odd = 0x3F80;

    note(argument1, argument2, argument3);
    look(0, (ULONG)&argument1);
    __asm__ volatile("fninit\n\tfld1\n\tfldpi\n\tldmxcsr %0" : : "m"(odd));
    __asm__ volatile("pcmpeqd %xmm0, %xmm0\n\tmovaps %xmm0, %xmm1\n\t"
                     "movaps %xmm0, %xmm2\n\tmovaps %xmm0, %xmm3\n\t"
                     "movaps %xmm0, %xmm4\n\tmovaps %xmm0, %xmm5\n\t"
                     "movaps %xmm0, %xmm6\n\tmovaps %xmm0, %xmm7");
    __asm__ volatile("" : : "a"(1), "c"(2), "d"(3));
}

static NTSTATUS queue(PPS_APC_ROUTINE routine, ULONG number)
{
    return NtQueueApcThread(SELF, routine, (void *)number,
                            (void *)(number << 8), (void *)(number << 16));
}

static void check_order(void)
{
    ULONG at;

    count = 0;
    for (at = 0; at < MANY; at++)
        CHECK_STATUS(queue(note, at + 1), STATUS_SUCCESS);
    CHECK(count == 0);
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
    CHECK(count == MANY);
    for (at = 0; at < MANY; at++)
        CHECK(ran[at].argument1 == at + 1 &&
              ran[at].argument2 == (at + 1) << 8 &&
              ran[at].argument3 == (at + 1) << 16);
}

static void check_frame(void)
{
    const CONTEXT *context = &ran[0].context;
    ULONG esp = context->Esp;

    CHECK_SAY(context->ContextFlags == CONTEXT_OF_APC, "flags %x",
              context->ContextFlags);
    CHECK_SAY(context->Eip == SYSTEM_CALL_RETURN ||
              context->Eip == INT2E_BEHIND,
              "eip %x", context->Eip);
    CHECK_SAY(ran[0].esp == ((esp - 8) & ~3U) - 0x2DC, "frame at %x, not %x",
              ran[0].esp, ((esp - 8) & ~3U) - 0x2DC);
    CHECK(context->SegCs == 0x1B && context->SegSs == 0x23);
    CHECK(context->Eax == STATUS_SUCCESS);
    CHECK(context->Ecx == 0 && context->Edx == 0);
    CHECK(context->Ebx == call.in.Ebx && context->Ebp == call.in.Ebp);
    CHECK(context->Esi == call.in.Esi && context->Edi == call.in.Edi);
    CHECK(context->EFlags == call.in.Eflags);
}

static void check_door(const struct door *door)
{
    const struct registers *in = &call.in, *out = &call.out;

    test_where(door->name);
    count = 0;
    CHECK_STATUS(queue(trash, 1), STATUS_SUCCESS);
    call_prepare(&call, door->raw);
    call.in.Eflags |= 0x400;
    CHECK_STATUS(call_by_door(&call, door, XP_TEST_ALERT, &stack.top),
                 STATUS_SUCCESS);
    CHECK(count == 1);
    check_frame();
    CHECK(in->Ebx == out->Ebx && in->Ebp == out->Ebp &&
          in->Esi == out->Esi && in->Edi == out->Edi);
    CHECK_SAY(in->Eflags == out->Eflags, "eflags %x are %x", in->Eflags,
              out->Eflags);
    CHECK_SAY(!memcmp(in->fx, out->fx, FX_MXCSR_MASK) &&
              !memcmp(in->fx + FX_MXCSR_MASK + 4, out->fx + FX_MXCSR_MASK + 4,
                      FX_END - FX_MXCSR_MASK - 4),
              "floating point is not kept");
    test_where("");
}

/*
 * Tested for by 64-bit code: it comes when the thread is back in 32-bit code,
 * at the next tick of the clock at the latest.
 */
static void check_gate(ULONG by_int2e)
{
    struct gate_call gate = { .number = SERVICE_NtTestAlert,
                              .by_int2e = by_int2e };

    count = 0;
    CHECK_STATUS(queue(note, 7), STATUS_SUCCESS);
    gate_call(&gate);
    CHECK(gate.rax == STATUS_SUCCESS);
    NtYieldExecution();
    CHECK(count == 1 && ran[0].argument1 == 7);
    CHECK(ran[0].context.SegCs == 0x1B);
    NtYieldExecution();
    CHECK(count == 1);
    count = 0;
    CHECK_STATUS(queue(note, 8), STATUS_SUCCESS);
    gate_call(&gate);
    while (count == 0)
        continue;
    CHECK(count == 1 && ran[0].argument1 == 8);
}

static void check_alerts(void)
{
    count = 0;
    CHECK_STATUS(NtAlertThread(SELF), STATUS_SUCCESS);
    CHECK_STATUS(NtTestAlert(), STATUS_ALERTED);
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
    CHECK_STATUS(NtQueueApcThread((HANDLE)0x1234, note, NULL, NULL, NULL),
                 STATUS_INVALID_HANDLE);
    CHECK(count == 0);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const struct door *door;

    (void)peb;
    check_order();
    for (door = doors; door < doors_end(); door++)
        check_door(door);
    check_gate(GATE_SYSCALL);
    check_gate(GATE_INT2E);
    check_alerts();
    return test_end();
}
