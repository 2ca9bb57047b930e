/*
 * apc.c - chapter 6: a user APC on the way back from a call, with XP's frame:
 * four dwords and a CONTEXT.
 */
#include "tour32.h"

#define UNUSED_EAX 0xA0A0A0A0
#define ARGUMENT1 1
#define ARGUMENT2 0x22
#define ARGUMENT3 0x333
#define DISPATCHER_BYTES 15
#define CALL_END 7                      /* lea 4, pop 1, call eax 2 */

/* What the kernel leaves at esp. */
struct apc_frame {
    ULONG routine, arguments[3];                /* 000 */
    CONTEXT context;                            /* 010 */
};

/* What the routine has found. */
static struct {
    ULONG count, at, context, behind;
    struct apc_frame frame;
} seen;

static struct call call;

void NTAPI apc_routine(void *argument1, void *argument2, void *argument3);
void NTAPI apc_note(const ULONG *esp, ULONG edi);

/*
 * apc.asm's: esp at its first instruction, and edi. The dispatcher has popped
 * the routine and called it, so a return address lies in its place.
 */
void NTAPI apc_note(const ULONG *esp, ULONG edi)
{
    seen.count++;
    seen.at = (ULONG)esp;
    seen.context = edi;
    seen.behind = *esp;
    memcpy(&seen.frame, esp, sizeof seen.frame);
}

static void field(ULONG offset, const char *name, ULONG value,
                  const char *meaning)
{
    print("   %08X  +%03X  %-16s %08X  %s\n", seen.at + offset, offset, name,
          value, meaning);
}

static void show_frame(void)
{
    const struct apc_frame *frame = &seen.frame;
    const CONTEXT *context = &frame->context;
    ULONG base = offsetof(struct apc_frame, context);

    field(0x0, "NormalRoutine", (ULONG)apc_routine, "popped and called");
    field(0x4, "NormalContext", frame->arguments[0], "argument 1");
    field(0x8, "SystemArgument1", frame->arguments[1], "argument 2");
    field(0xC, "SystemArgument2", frame->arguments[2], "argument 3");
    field(base, "CONTEXT", context->ContextFlags, "its flags");
    field(base + offsetof(CONTEXT, Ebx), "  Ebx", context->Ebx, "as it was");
    field(base + offsetof(CONTEXT, Eax), "  Eax", context->Eax,
          "NtTestAlert's status");
    field(base + offsetof(CONTEXT, Eip), "  Eip", context->Eip,
          "behind the door");
    field(base + offsetof(CONTEXT, EFlags), "  EFlags", context->EFlags,
          "as they were");
    field(base + offsetof(CONTEXT, Esp), "  Esp", context->Esp,
          "in the door, two calls deep");
}

static void show_dispatcher(void)
{
    const UCHAR *dispatcher = find_stub("KiUserApcDispatcher");

    print("   KiUserApcDispatcher %08X: ", (ULONG)dispatcher);
    show_bytes(dispatcher, DISPATCHER_BYTES);
    print("     lea edi,[esp+10h]; pop eax; call eax; push 1; push edi; "
          "call NtContinue\n"
          "     A routine keeps edi, as any function: NtContinue needs it.\n");
    check(seen.behind == (ULONG)dispatcher + CALL_END,
          "KiUserApcDispatcher calls the routine");
    check(seen.context == seen.at + offsetof(struct apc_frame, context),
          "edi is the CONTEXT");
}

static void row(const char *name, ULONG in, ULONG out, const char *role)
{
    print("   %-6s  %08X -> BAD0BAD0 -> %08X  %s\n", name, in, out, role);
}

static void show_registers(void)
{
    const struct registers *in = &call.in, *out = &call.out;

    print("   register before      routine     after\n");
    row("eax", in->Eax, out->Eax, "status out");
    row("ecx", in->Ecx, out->Ecx, "not kept by a service, nor edx");
    row("ebx", in->Ebx, out->Ebx, "kept, as esi ebp");
}

static void check_all(void)
{
    const CONTEXT *context = &seen.frame.context;
    const struct registers *in = &call.in, *out = &call.out;

    check(seen.count == 1, "the APC runs once");
    check(seen.frame.arguments[0] == ARGUMENT1 &&
          seen.frame.arguments[1] == ARGUMENT2 &&
          seen.frame.arguments[2] == ARGUMENT3,
          "the routine's arguments are those that were queued");
    check(context->Esp == in->Esp - 8 && context->Ebx == in->Ebx &&
          context->EFlags == in->Eflags,
          "the CONTEXT has the interrupted registers");
    check(out->Ebx == in->Ebx && out->Ebp == in->Ebp &&
          out->Esi == in->Esi && out->Edi == in->Edi &&
          out->Esp == in->Esp && out->Eflags == in->Eflags,
          "non-volatile registers and eflags are kept");
    check(out->Eax == STATUS_SUCCESS && out->Ecx == context->Ecx &&
          out->Edx == context->Edx, "the others are the CONTEXT's");
}

void show_apc(void)
{
    NTSTATUS status;

    print("\n6. The way back: a user APC, as in XP\n");
    status = NtQueueApcThread(NtCurrentThread(), apc_routine,
                              (void *)ARGUMENT1, (void *)ARGUMENT2,
                              (void *)ARGUMENT3);
    print("   NtQueueApcThread(myself, routine, %X, %X, %X) = %08X %s\n",
          ARGUMENT1, ARGUMENT2, ARGUMENT3, (ULONG)status,
          status_name(status));
    call_target(&call, find_stub("NtTestAlert"), UNUSED_EAX, 0, NULL);
    print("   NtTestAlert: before it returns, eip is KiUserApcDispatcher and "
          "esp %X:\n", seen.at);
    show_frame();
    show_dispatcher();
    show_registers();
    check_all();
}
