/*
 * exception.c - chapter 5: a store that may not be. The kernel makes a record
 * of the fault and goes back to ring 3 with it, to look for somebody who wants
 * it: here a filter, which once has the stack unwound down to its __except
 * block, and once has the store done again.
 */
#include "exception.h"

#define PATTERN(byte) ((ULONGLONG)(byte) * 0x0101010101010101ULL)
#define GENERAL 16                              /* registers */
#define RCX 1                                   /* their numbers */
#define RSP 4
#define WALK 4                                  /* frames, at most */
#define ATTEMPTS 8
#define WRITE 1                                 /* ExceptionInformation[0] */
#define ERROR_CODE 7                            /* there, a write, ring 3 */

/* A frame that the search comes by. */
struct step {
    ULONGLONG rip, rsp, from, to;
    ULONGLONG handler;                          /* 0: none */
};

/* What the filter has found. */
static struct {
    ULONG count;
    ULONGLONG context, record;                  /* where they lie */
    struct exception_frame frame;               /* a copy */
    ULONG steps;
    struct step step[WALK];
    struct kernel_fault kernel;
    NTSTATUS protect;
} seen;

static void *page;

/* ---- the filter ---- */

/* An import is called by way of a jmp [rip + n] of this image. */
static ULONGLONG target_of(const UCHAR *code)
{
    ULONGLONG target = (ULONGLONG)(ULONG_PTR)code;
    LONG distance;

    if (!code || code[0] != 0xFF || code[1] != 0x25)
        return target;
    memcpy(&distance, code + 2, sizeof distance);
    memcpy(&target, code + 6 + distance, sizeof target);
    return target;
}

/* Up to the first frame that has a handler: store_guarded's. */
static void walk(CONTEXT context)
{
    ULONGLONG base, frame;
    void *data;
    struct step *step;

    seen.steps = 0;
    do {
        RUNTIME_FUNCTION *entry = RtlLookupFunctionEntry(context.Rip, &base,
                                                         NULL);

        if (!entry)
            return;
        step = &seen.step[seen.steps++];
        step->rip = context.Rip;
        step->rsp = context.Rsp;
        step->from = base + entry->BeginAddress;
        step->to = base + entry->EndAddress;
        step->handler = target_of((const UCHAR *)(ULONG_PTR)RtlVirtualUnwind(
            UNW_FLAG_EHANDLER, base, context.Rip, entry, &context, &data,
            &frame, NULL));
    } while (!step->handler && seen.steps < WALK);
}

static void look(const EXCEPTION_POINTERS *pointers)
{
    if (kernel_is_open())
        read_kernel_fault(&seen.kernel);
    seen.count++;
    seen.context = (ULONGLONG)pointers->ContextRecord;
    seen.record = (ULONGLONG)pointers->ExceptionRecord;
    memcpy(&seen.frame, pointers->ContextRecord, sizeof seen.frame);
    walk(*pointers->ContextRecord);
}

static LONG take(EXCEPTION_POINTERS *pointers)
{
    look(pointers);
    return EXCEPTION_EXECUTE_HANDLER;
}

static LONG repair(EXCEPTION_POINTERS *pointers)
{
    void *base = page;
    SIZE_T size = 1;
    ULONG old;

    look(pointers);
    seen.protect = NtProtectVirtualMemory(NtCurrentProcess(), &base, &size,
                                          PAGE_READWRITE, &old);
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* ---- 5.1: the frame ---- */

static void field(ULONG offset, const char *name)
{
    print("   %016llX  +%03X  %-19s ", seen.context + offset, offset, name);
}

#define FIELD(member) offsetof(struct exception_frame, member)

static void show_context(const CONTEXT *context)
{
    field(FIELD(context), "CONTEXT");
    print("the registers at the store:\n");
    field(FIELD(context.ContextFlags), "  ContextFlags");
    print("%08X\n", context->ContextFlags);
    field(FIELD(context.EFlags), "  EFlags");
    print("%08X\n", context->EFlags);
    field(FIELD(context.Rax), "  Rax");
    print("%016llX\n", context->Rax);
    field(FIELD(context.Rcx), "  Rcx");
    print("%llX, the page\n", context->Rcx);
    field(FIELD(context.Rbx), "  Rbx");
    print("%016llX\n", context->Rbx);
    field(FIELD(context.Rsp), "  Rsp");
    print("%016llX\n", context->Rsp);
    field(FIELD(context.Rip), "  Rip");
    print("%llX, the store\n", context->Rip);
    field(FIELD(context.FltSave), "  FltSave");
    print("x87, xmm0 to xmm15\n");
    field(FIELD(parts), "CONTEXT_EX");
    print("All from -%X, %X bytes\n", -seen.frame.parts.All.Offset,
          seen.frame.parts.All.Length);
}

static void show_record(const EXCEPTION_RECORD *record)
{
    field(FIELD(record), "EXCEPTION_RECORD");
    print("%s\n", status_name(record->ExceptionCode));
    field(FIELD(record.ExceptionCode), "  ExceptionCode");
    print("%08X\n", (ULONG)record->ExceptionCode);
    field(FIELD(record.ExceptionFlags), "  ExceptionFlags");
    print("%X: may be continued\n", record->ExceptionFlags);
    field(FIELD(record.ExceptionAddress), "  ExceptionAddress");
    print("%llX\n", (ULONGLONG)record->ExceptionAddress);
    field(FIELD(record.NumberParameters), "  NumberParameters");
    print("%u\n", record->NumberParameters);
    field(FIELD(record.ExceptionInformation[0]), "  Information0");
    print("%llX: a write (0 read, 8 execute)\n",
          (ULONGLONG)record->ExceptionInformation[0]);
    field(FIELD(record.ExceptionInformation[1]), "  Information1");
    print("%llX, where to\n", (ULONGLONG)record->ExceptionInformation[1]);
}

static void show_above(const struct exception_frame *frame)
{
    field(FIELD(machine), "MACHINE_FRAME");
    print("rip %llX, for who unwinds\n", frame->machine.rip);
    field(FIELD(machine.rsp), "  rsp");
    print("%016llX\n", frame->machine.rsp);
    if (!frame->parts.XState.Length)
        return;
    field(FIELD(parts) + frame->parts.XState.Offset, "XSTATE");
    print("%X bytes: the rest of ymm0-15\n", frame->parts.XState.Length);
}

/* Every register is as store_at has made it. */
static BOOLEAN has_patterns(const ULONGLONG *registers)
{
    ULONG at;

    for (at = 0; at < GENERAL; at++)
        if (at != RCX && at != RSP && registers[at] != PATTERN(0xA0 + at))
            return FALSE;
    return registers[RCX] == (ULONGLONG)page;
}

static void check_frame(const struct exception_frame *frame)
{
    const CONTEXT *context = &frame->context;
    const EXCEPTION_RECORD *record = &frame->record;

    check(seen.record == seen.context + FIELD(record),
          "EXCEPTION_RECORD is at +4F0h");
    check(context->Rip == (ULONGLONG)store_instruction &&
          (ULONGLONG)record->ExceptionAddress == context->Rip,
          "the CONTEXT's rip is the store's");
    check(has_patterns(&context->Rax), "the CONTEXT has the registers");
    check(record->ExceptionCode == STATUS_ACCESS_VIOLATION &&
          record->ExceptionFlags == 0 && record->ExceptionRecord == NULL &&
          record->NumberParameters == 2 &&
          record->ExceptionInformation[0] == WRITE &&
          record->ExceptionInformation[1] == (ULONG_PTR)page,
          "the record tells of a write to the page");
    check(frame->parts.All.Offset == -(LONG)sizeof *context &&
          frame->parts.Legacy.Length == sizeof *context,
          "CONTEXT_EX says where the parts are");
    check(frame->machine.rip == context->Rip &&
          frame->machine.rsp == context->Rsp,
          "MACHINE_FRAME repeats rip and rsp");
    check(seen.context % 16 == 0 &&
          seen.context + EXCEPTION_FRAME_BYTES <= context->Rsp,
          "the frame is below the stack of the store");
}

static void show_frame(void)
{
    const struct exception_frame *frame = &seen.frame;
    const UCHAR *code = store_instruction;

    print("\n 5.1 What the kernel leaves on my stack\n");
    print("   page     %016llX, PAGE_READONLY\n", (ULONGLONG)page);
    print("   store    %016llX  %02X %02X %02X  mov [rcx], rdx; the other "
          "registers\n            have a pattern each, to know them by\n",
          (ULONGLONG)code, code[0], code[1], code[2]);
    print("   rsp was  %016llX at the store, and is %llX lower now:\n",
          frame->context.Rsp, frame->context.Rsp - seen.context);
    show_context(&frame->context);
    show_record(&frame->record);
    show_above(frame);
    check_frame(frame);
}

/* ---- 5.3: who wants it ---- */

static void show_dispatcher(void)
{
    static const UCHAR load_record[] = { 0x48, 0x8D, 0x8C, 0x24,
                                         0xF0, 0x04, 0x00, 0x00 };
    const UCHAR *code = find_stub("KiUserExceptionDispatcher");
    ULONG at;

    print("   rip      %016llX KiUserExceptionDispatcher, rsp as above\n"
          "           ", (ULONGLONG)code);
    for (at = 0; at <= sizeof load_record; at++)
        print(" %02X", code[at]);
    print("  cld; lea rcx, [rsp+4F0h]\n"
          "   calls    RtlDispatchException(rcx = EXCEPTION_RECORD, "
          "rdx = CONTEXT)\n"
          "   which    asks vectored handlers (none here), then the frames:\n");
    check(!memcmp(code + 1, load_record, sizeof load_record),
          "KiUserExceptionDispatcher finds the record at +4F0h");
    if (kernel_is_open()) {
        ULONGLONG address = 0;

        kernel_read(kernel_address("KeUserExceptionDispatcher"), &address,
                    sizeof address);
        check(address == (ULONGLONG)code,
              "the kernel knows KiUserExceptionDispatcher");
    }
}

static void show_step(const struct step *step)
{
    ULONGLONG start;
    const char *name = step->handler
                           ? name_in_ntdll(step->handler, 1, &start) : "none";

    print("   %-12llX %9llX-%-9llX %016llX  %s\n", step->rip, step->from,
          step->to, step->rsp, name ? name : "?");
}

static void show_search(void)
{
    const struct step *first = &seen.step[0], *second = &seen.step[1];
    ULONG at;

    print("\n 5.3 Who wants it\n");
    show_dispatcher();
    print("   rip          its .pdata entry    rsp               handler\n");
    for (at = 0; at < seen.steps; at++)
        show_step(&seen.step[at]);
    print("   The handler finds a __try around that rip, and calls its filter, "
          "which\n   answers 1: execute the handler.\n");
    check(seen.count && seen.steps == 2 &&
          first->from == (ULONGLONG)store_at && !first->handler,
          "store_at's frame has no handler");
    check(second->handler == (ULONGLONG)find_stub("__C_specific_handler"),
          "its caller's frame has __C_specific_handler");
    check(second->rsp == store_entered.Rsp + sizeof(ULONGLONG),
          "unwinding store_at finds its caller's stack");
}

/* ---- 5.4: in the __except block ---- */

static void row(const char *name, ULONGLONG in, ULONGLONG out,
                const char *role)
{
    print("   %-6s  %016llX -> %016llX  %s\n", name, in, out, role);
}

static void check_landed(void)
{
    const struct registers *before = &store_entered;

    check((ULONG)landed.Rax == (ULONG)STATUS_ACCESS_VIOLATION,
          "eax is the exception's code");
    check(landed.Rsp == before->Rsp && landed.Rbx == before->Rbx &&
          landed.Rbp == before->Rbp && landed.Rsi == before->Rsi &&
          landed.Rdi == before->Rdi && landed.R12 == before->R12 &&
          landed.R13 == before->R13 && landed.R14 == before->R14 &&
          landed.R15 == before->R15 &&
          !memcmp(&landed.Xmm[6], &before->Xmm[6], sizeof(M128A)),
          "non-volatile registers are the caller's again");
    check(landed_behind > seen.step[1].from &&
          landed_behind < seen.step[1].to,
          "the __except block is in the function that has the __try");
}

static void show_landed(void)
{
    const CONTEXT *fault = &seen.frame.context;

    print("\n 5.4 Unwound: in the __except block\n");
    print("   RtlUnwindEx goes the same way once more, for __finally blocks, "
          "and ends\n   with the registers that the functions in between have "
          "saved:\n"
          "   register at the store        in __except\n");
    row("rip", fault->Rip, landed_behind, "in the block");
    row("rsp", fault->Rsp, landed.Rsp + sizeof(ULONGLONG), "the caller's");
    row("rax", fault->Rax, landed.Rax, "the exception's code");
    row("rbx", fault->Rbx, landed.Rbx, "the caller's, as rbp,");
    row("r12", fault->R12, landed.R12, "rsi, rdi, r13 to r15");
    row("xmm6", fault->FltSave.XmmRegisters[6].Low, landed.Xmm[6].Low,
        "the caller's");
    check_landed();
}

/* ---- 5.5: once more ---- */

static void show_continued(void)
{
    const volatile ULONGLONG *cell = page;
    BOOLEAN done;

    print("\n 5.5 The other answer: the same store, once more\n");
    seen.count = 0;
    done = store_guarded(page, repair);
    print("   filter   NtProtectVirtualMemory(page, PAGE_READWRITE) = %08X, "
          "answers -1\n", (ULONG)seen.protect);
    print("   then     NtContinue(CONTEXT), to rip %llX: the store\n",
          seen.frame.context.Rip);
    print("   [page]   %016llX, rdx of the store\n", *cell);
    row("rax", seen.frame.context.Rax, store_done.Rax, "as all the others");
    check(done && seen.count == 1, "the store is done when it may be");
    check(*cell == PATTERN(0xA2), "the page has what was stored");
    check(has_patterns(&store_done.Rax) &&
          store_done.Rsp == seen.frame.context.Rsp &&
          store_done.Xmm[6].Low == PATTERN(0xA2) &&
          (ULONGLONG)store_done.Xmm[6].High == PATTERN(0xA2),
          "behind the store every register is as before");
}

/* ---- all of it ---- */

static NTSTATUS prepare(void)
{
    SIZE_T size = 1;
    NTSTATUS status = NtAllocateVirtualMemory(NtCurrentProcess(), &page, 0,
                                              &size, MEM_RESERVE | MEM_COMMIT,
                                              PAGE_READONLY);

    check(NT_SUCCESS(status), "NtAllocateVirtualMemory gives a page");
    if (NT_SUCCESS(status))
        (void)*(volatile UCHAR *)page;
    return status;
}

/* What is left of the fault in the kernel may be another interrupt's. */
static void fault_once(void)
{
    ULONG attempt;
    BOOLEAN done;

    for (attempt = 0; attempt < ATTEMPTS; attempt++) {
        done = store_guarded(page, take);
        check(!done, "the store has not been done");
        if (!kernel_is_open() ||
            (seen.kernel.error == ERROR_CODE &&
             seen.kernel.address == (ULONGLONG)page))
            break;
    }
}

void show_exception(void)
{
    SIZE_T size = 0;

    print("\n5. An exception\n");
    if (!NT_SUCCESS(prepare()))
        return;
    fault_once();
    show_frame();
    print("\n 5.2 What the kernel had\n");
    show_kernel_fault(&seen.kernel, (ULONGLONG)page);
    show_search();
    show_landed();
    show_continued();
    NtFreeVirtualMemory(NtCurrentProcess(), &page, &size, MEM_RELEASE);
}
