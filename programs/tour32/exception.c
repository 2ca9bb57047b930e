/*
 * exception.c - chapter 7: an exception of 32-bit code, with XP's frame: two
 * pointers, a record, a CONTEXT; and the chain at fs:[0].
 *
 * Two guards are on the chain. The inner one lets the exception pass, the
 * outer one takes it; of the second exception the inner one has the store done
 * again.
 */
#include "tour32.h"

#define EXECUTE 0x100                           /* exception.asm */
#define WRITE 1                                 /* ExceptionInformation[0] */
#define STORED 0xA2A2A2A2
#define DISPATCHER_BYTES 10
#define CHAIN 4
#define CALLS 4
#define RECORD_BYTES \
    offsetof(EXCEPTION_RECORD, ExceptionInformation[2])

typedef ULONG NTAPI filter_routine(EXCEPTION_RECORD *record, void *guard,
                                   CONTEXT *context);

/* exception.asm: FALSE, an exception has ended routine(argument). */
BOOLEAN NTAPI guarded(void NTAPI (*routine)(void *), void *argument,
                      filter_routine *filter);
void NTAPI store_at(void *to);
extern const UCHAR store_instruction[];

/* What the kernel leaves at esp, with two parameters. */
struct exception_frame {
    ULONG record_at, context_at;                /* 000 */
    UCHAR record[RECORD_BYTES];                 /* 008 */
    CONTEXT context;                            /* 024 */
};
_Static_assert(offsetof(struct exception_frame, context) == 0x24, "XP's");

static struct {
    ULONG at, record_at, context_at;
    struct exception_frame frame;
    EXCEPTION_RECORD record;
    ULONG links;                                /* of the chain, */
    EXCEPTION_REGISTRATION_RECORD *link[CHAIN]; /* from the youngest on */
    EXCEPTION_REGISTRATION_RECORD content[CHAIN];
    ULONG calls;
    struct {
        const char *guard, *answer;
        ULONG flags;
    } call[CALLS];
} seen;

static void *page;

/* ---- the filters ---- */

static void look(EXCEPTION_RECORD *record, EXCEPTION_REGISTRATION_RECORD *link,
                 CONTEXT *context)
{
    seen.record_at = (ULONG)record;
    seen.context_at = (ULONG)context;
    seen.at = seen.record_at - offsetof(struct exception_frame, record);
    seen.record = *record;
    memcpy(&seen.frame, (void *)seen.at, sizeof seen.frame);
    for (seen.links = 0; link != EXCEPTION_CHAIN_END && seen.links < CHAIN;
         link = link->Next) {
        seen.link[seen.links] = link;
        seen.content[seen.links++] = *link;
    }
}

static ULONG answer(const char *guard, const EXCEPTION_RECORD *record,
                    ULONG disposition, const char *text)
{
    if (seen.calls < CALLS) {
        seen.call[seen.calls].guard = guard;
        seen.call[seen.calls].answer = text;
        seen.call[seen.calls].flags = record->ExceptionFlags;
    }
    seen.calls++;
    return disposition;
}

static ULONG NTAPI pass(EXCEPTION_RECORD *record, void *guard,
                        CONTEXT *context)
{
    if (record->ExceptionFlags & EXCEPTION_UNWIND)
        return answer("inner", record, ExceptionContinueSearch,
                      "1, unasked: its frame is undone");
    look(record, guard, context);
    return answer("inner", record, ExceptionContinueSearch,
                  "1, ask the next one");
}

static ULONG NTAPI take(EXCEPTION_RECORD *record, void *guard,
                        CONTEXT *context)
{
    (void)guard, (void)context;
    return answer("outer", record, EXECUTE, "by RtlUnwind, to its own frame");
}

static ULONG NTAPI repair(EXCEPTION_RECORD *record, void *guard,
                          CONTEXT *context)
{
    void *base = page;
    SIZE_T size = 1;
    ULONG old;

    (void)guard, (void)context;
    NtProtectVirtualMemory(NtCurrentProcess(), &base, &size, PAGE_READWRITE,
                           &old);
    return answer("inner", record, ExceptionContinueExecution,
                  "0, continue: it may be written now");
}

static void NTAPI store_passing(void *to)
{
    guarded(store_at, to, pass);
}

static void NTAPI store_repairing(void *to)
{
    check(guarded(store_at, to, repair), "the store is done when it may be");
}

/* ---- what is shown ---- */

static void field(ULONG offset, const char *name, ULONG value,
                  const char *meaning)
{
    print("   %08X  +%03X  %-18s %08X  %s\n", seen.at + offset, offset, name,
          value, meaning);
}

#define CONTEXT_FIELD(member) \
    (offsetof(struct exception_frame, context) + offsetof(CONTEXT, member))
#define RECORD_FIELD(member) \
    (offsetof(struct exception_frame, record) + \
     offsetof(EXCEPTION_RECORD, member))

static void show_record(const EXCEPTION_RECORD *record)
{
    field(0, "EXCEPTION_RECORD *", seen.frame.record_at, "argument 1");
    field(4, "CONTEXT *", seen.frame.context_at, "argument 2");
    field(RECORD_FIELD(ExceptionCode), "ExceptionCode",
          (ULONG)record->ExceptionCode, status_name(record->ExceptionCode));
    field(RECORD_FIELD(ExceptionFlags), "ExceptionFlags",
          record->ExceptionFlags, "may be continued");
    field(RECORD_FIELD(ExceptionAddress), "ExceptionAddress",
          (ULONG)record->ExceptionAddress, "the store");
    field(RECORD_FIELD(NumberParameters), "NumberParameters",
          record->NumberParameters, "there is room for no more");
    field(RECORD_FIELD(ExceptionInformation[0]), "Information0",
          record->ExceptionInformation[0], "a write");
    field(RECORD_FIELD(ExceptionInformation[1]), "Information1",
          record->ExceptionInformation[1], "where to");
}

static void show_context(const CONTEXT *context)
{
    field(CONTEXT_FIELD(ContextFlags), "CONTEXT", context->ContextFlags,
          "its flags");
    field(CONTEXT_FIELD(SegFs), "  SegFs", context->SegFs, "the TEB's");
    field(CONTEXT_FIELD(Ebx), "  Ebx", context->Ebx, "as it was");
    field(CONTEXT_FIELD(Ecx), "  Ecx", context->Ecx, "the page");
    field(CONTEXT_FIELD(Eax), "  Eax", context->Eax, "as it was");
    field(CONTEXT_FIELD(Eip), "  Eip", context->Eip, "the store");
    field(CONTEXT_FIELD(EFlags), "  EFlags", context->EFlags, "as they were");
    field(CONTEXT_FIELD(Esp), "  Esp", context->Esp, "the CONTEXT's end");
}

static void check_frame(void)
{
    const CONTEXT *context = &seen.frame.context;
    const EXCEPTION_RECORD *record = &seen.record;

    check(seen.frame.record_at == seen.record_at &&
          seen.frame.context_at == seen.context_at &&
          seen.context_at ==
              seen.at + offsetof(struct exception_frame, context),
          "pointers, record and CONTEXT follow each other");
    check(record->ExceptionCode == STATUS_ACCESS_VIOLATION &&
          record->ExceptionFlags == 0 && record->NumberParameters == 2 &&
          record->ExceptionAddress == (void *)store_instruction &&
          record->ExceptionInformation[0] == WRITE &&
          record->ExceptionInformation[1] == (ULONG)page,
          "the record tells of a write to the page");
    check(context->Eip == (ULONG)store_instruction &&
          context->Eax == 0xA0A0A0A0 && context->Ebx == 0xA3A3A3A3 &&
          context->Ebp == 0xA5A5A5A5 && context->Edx == STORED &&
          context->Ecx == (ULONG)page, "the CONTEXT has the registers");
    check(context->Esp == seen.context_at + sizeof *context,
          "the CONTEXT ends where esp was");
}

static void show_dispatcher(void)
{
    static const UCHAR bytes[DISPATCHER_BYTES - 1] = {
        0x8B, 0x4C, 0x24, 0x04, 0x8B, 0x1C, 0x24, 0x51, 0x53 };
    const UCHAR *dispatcher = find_stub("KiUserExceptionDispatcher");

    print("   KiUserExceptionDispatcher %08X: ", (ULONG)dispatcher);
    show_bytes(dispatcher, DISPATCHER_BYTES);
    print("     mov ecx,[esp+4]; mov ebx,[esp]; push ecx; push ebx; "
          "call RtlDispatch...\n");
    check(!memcmp(dispatcher, bytes, sizeof bytes),
          "KiUserExceptionDispatcher begins as XP's");
}

static void show_chain(void)
{
    static const char *const whose[CHAIN] = { "the inner guard",
                                              "the outer guard",
                                              "ntdll's, the thread's last" };
    ULONG at;

    print("   the chain from fs:[0], a record in each stack frame that wants "
          "to know:\n");
    for (at = 0; at < seen.links; at++)
        print("     %08X  next %08X  handler %08X  %s\n",
              (ULONG)seen.link[at], (ULONG)seen.content[at].Next,
              (ULONG)seen.content[at].Handler,
              whose[at] ? whose[at] : "");
    check(seen.links == 3 &&
          seen.content[0].Handler == seen.content[1].Handler &&
          seen.link[0] < seen.link[1] && seen.link[1] < seen.link[2],
          "the chain has both guards and ntdll's");
}

static void show_calls(void)
{
    ULONG at;

    for (at = 0; at < seen.calls && at < CALLS; at++)
        print("     %u. %s  flags %02X%-11s answers %s\n", at + 1,
              seen.call[at].guard, seen.call[at].flags,
              seen.call[at].flags & EXCEPTION_UNWINDING ? " unwinding" : "",
              seen.call[at].answer);
}

static void check_order(void)
{
    check(seen.calls == 3 && seen.call[0].flags == 0 &&
          !strcmp(seen.call[1].guard, "outer") && seen.call[1].flags == 0 &&
          !strcmp(seen.call[2].guard, "inner") &&
          seen.call[2].flags & EXCEPTION_UNWINDING,
          "inner, outer; then inner again, to be unwound");
}

/* ---- the two exceptions ---- */

static void store_unwound(void)
{
    void *before = NtCurrentTeb()->NtTib.ExceptionList;
    const UCHAR *code = store_instruction;
    BOOLEAN done = guarded(store_passing, page, take);

    print("   page %08X is PAGE_READONLY; store_at has at %08X\n"
          "     %02X %02X  mov [ecx], edx\n", (ULONG)page, (ULONG)code,
          code[0], code[1]);
    print("   esp was %08X at the store, and is %X lower now:\n",
          seen.frame.context.Esp, seen.frame.context.Esp - seen.at);
    show_record(&seen.record);
    show_context(&seen.frame.context);
    check_frame();
    show_dispatcher();
    show_chain();
    print("   who is asked:\n");
    show_calls();
    print("   Back in the outer guard. It has pushed its registers itself: "
          "unwinding in\n   XP's way restores none.\n");
    check_order();
    check(!done, "the store has not been done");
    check(NtCurrentTeb()->NtTib.ExceptionList == before,
          "the chain is as before");
}

static void store_continued(void)
{
    BOOLEAN done;

    seen.calls = 0;
    done = guarded(store_repairing, page, take);
    print("   the same store, with another guard:\n");
    show_calls();
    print("   [page] %08X: NtContinue has done the store again\n",
          *(volatile ULONG *)page);
    check(done && seen.calls == 1 && *(volatile ULONG *)page == STORED,
          "the page has what was stored");
}

void show_exception(void)
{
    SIZE_T size = 1;
    NTSTATUS status = NtAllocateVirtualMemory(NtCurrentProcess(), &page, 0,
                                              &size, MEM_RESERVE | MEM_COMMIT,
                                              PAGE_READONLY);

    print("\n7. An exception, as in XP\n");
    check(NT_SUCCESS(status), "NtAllocateVirtualMemory gives a page");
    if (!NT_SUCCESS(status))
        return;
    store_unwound();
    store_continued();
    size = 0;
    NtFreeVirtualMemory(NtCurrentProcess(), &page, &size, MEM_RELEASE);
}
