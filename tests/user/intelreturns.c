/*
 * intelreturns.c - ways back to where ring 3 cannot be (B1, B2): SYSRET with
 * such an address faults in ring 0, with ring 3's gs and stack, on Intel's
 * processors.  The exception must be ring 3's, at the nearest address that is
 * one.  And IRETQ with selectors that it refuses (B6), which only the kernel of
 * the test build can bring about.
 */
#include "intel.h"

#include "facts.h"
#include "../../programs/lib/call.h"

#define SELF NtCurrentThread()
#define STACK 0x10000
#define FIRST_BIT 47
#define GRANULARITY 0x10000
#define EFLAGS_RF 0x10000               /* a fault's, not ring 3's */
#define SYSTEM_CALL 0x050F              /* as bytes in memory */
#define INT_2E 0x2ECD
#define SYSENTER 0x340F
#define EXECUTE 8
#define BAD_FRAME 0x5A                  /* tests/kernel/selftest.c */
#define LAST_SELECTOR 0x53              /* beyond the GDT */
#define STUB 32                         /* bytes of one, at most */

/* The exception that is waited for, and where its thread goes on. */
static struct {
    volatile BOOLEAN waits;
    ULONG_PTR rip, rsp;                 /* rsp 0: run_code's, or in's */
    const struct registers *in;
    NTSTATUS code;
    ULONG_PTR address, parameters[2];
} awaited;

static HANDLE asked, answered;
static ULONG_PTR victim_stack;
static CONTEXT context __attribute__((aligned(16)));

extern const UCHAR code_ended[], victim_again[];
extern const void *const __imp_NtWaitForSingleObject;   /* ntdll's stub */
extern ULONGLONG kept_stack;
void run_code(void *code, const void *word, void *behind, ULONGLONG far_away);

BOOLEAN returns_heard(const EXCEPTION_RECORD *record, CONTEXT *at)
{
    if (!awaited.waits)
        return FALSE;
    awaited.waits = FALSE;
    awaited.code = record->ExceptionCode;
    awaited.address = (ULONG_PTR)record->ExceptionAddress;
    awaited.parameters[0] = record->ExceptionInformation[0];
    awaited.parameters[1] = record->ExceptionInformation[1];
    if (awaited.in) {
        context = *at;
        at->Rsp = awaited.in->Rsp - sizeof(ULONGLONG);
    } else {
        at->Rsp = awaited.rsp ? awaited.rsp : kept_stack;
    }
    at->Rip = awaited.rip;
    at->EFlags = 0x202;
    return TRUE;
}

static ULONG_PTR nearest(ULONGLONG rip)
{
    return (ULONG_PTR)((LONGLONG)(rip << 16) >> 16);
}

/* A fault of the address itself has no more to tell than that it is one. */
static void check_heard(const char *way, ULONGLONG rip)
{
    CHECK_SAY(!awaited.waits && awaited.code == STATUS_ACCESS_VIOLATION &&
              awaited.address == nearest(rip),
              "%s to %llx: %08x at %p", way, rip, awaited.code,
              (void *)awaited.address);
    awaited.waits = FALSE;
}

/* ---- A thread's own context: by NtContinue, by NtSetContextThread ---- */

static ULONGLONG own_rip;
static BOOLEAN own_by_set;

static void go_there(void)
{
    RtlCaptureContext(&context);
    context.ContextFlags = CONTEXT_CONTROL;
    context.Rip = own_rip;
    if (own_by_set)
        NtSetContextThread(SELF, &context);
    else
        NtContinue(&context, FALSE);
}

static void check_own(ULONGLONG rip, BOOLEAN by_set)
{
    own_rip = rip;
    own_by_set = by_set;
    awaited.rip = (ULONG_PTR)code_ended;
    awaited.rsp = 0;
    awaited.waits = TRUE;
    run_code((void *)go_there, NULL, NULL, 0);
    check_heard(by_set ? "NtSetContextThread" : "NtContinue", rip);
}

/* ---- Another thread's, which waits in a service: by SYSRET ---- */

/* Its start, and where each exception leads it. */
void victim_waits(void);
void victim_waits(void)
{
    NtSetEvent(answered, NULL);
    NtWaitForSingleObject(asked, FALSE, NULL);
    NtTerminateThread(SELF, 0);
}

static void NTAPI victim(void *argument)
{
    ULONGLONG place;

    (void)argument;
    victim_stack = (ULONG_PTR)&place;
    victim_waits();
}

/* Until it is in that service, its context at the stub's SYSCALL. */
static void find_waiting(HANDLE thread)
{
    CHECK_STATUS(NtWaitForSingleObject(answered, FALSE, NULL),
                 STATUS_SUCCESS);
    for (;;) {
        context.ContextFlags = CONTEXT_CONTROL;
        CHECK_STATUS(NtGetContextThread(thread, &context), STATUS_SUCCESS);
        if (context.Rip - (ULONG_PTR)__imp_NtWaitForSingleObject < STUB)
            break;
        NtYieldExecution();
    }
}

static void check_other(HANDLE thread, ULONGLONG rip)
{
    find_waiting(thread);
    context.Rip = rip;
    awaited.rip = (ULONG_PTR)victim_again;
    awaited.rsp = victim_stack;
    awaited.waits = TRUE;
    CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
    CHECK_STATUS(NtSetEvent(asked, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(answered, FALSE, NULL),
                 STATUS_SUCCESS);
    check_heard("another's NtSetContextThread", rip);
    CHECK_STATUS(NtSetEvent(answered, NULL), STATUS_SUCCESS);
}

static HANDLE create_event(void)
{
    HANDLE event = NULL;

    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                               SynchronizationEvent, FALSE), STATUS_SUCCESS);
    return event;
}

static HANDLE create_victim(void)
{
    HANDLE thread = NULL;

    asked = create_event();
    answered = create_event();
    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), victim, NULL, 0, 0,
                                  STACK, STACK, NULL), STATUS_SUCCESS);
    return thread;
}

static void end_victim(HANDLE thread)
{
    find_waiting(thread);
    CHECK_STATUS(NtSetEvent(asked, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    NtClose(thread);
    NtClose(asked);
    NtClose(answered);
}

static void check_everywhere(HANDLE thread, ULONGLONG rip)
{
    check_own(rip, FALSE);
    check_own(rip, TRUE);
    check_other(thread, rip);
}

static void test_contexts(void)
{
    HANDLE thread = create_victim();
    ULONG bit;

    for (bit = FIRST_BIT; bit < 64; bit++) {
        check_everywhere(thread, 1ULL << bit);
        check_everywhere(thread, (1ULL << bit) - 1);
        check_everywhere(thread, ~(1ULL << bit));
        check_everywhere(thread, 1ULL << bit | FREE_PLACE);
    }
    end_victim(thread);
}

/* ---- The last instruction that ring 3 can have (B2) ---- */

/*
 * Windows' highest address of a region is 64 KiB below the highest user
 * address: between it and 2^47 nobody gets a page.
 */
static void check_no_page(ULONGLONG place)
{
    void *base = (void *)(ULONG_PTR)place;
    SIZE_T size = PAGE_SIZE;
    NTSTATUS status = NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0,
                                              &size, MEM_RESERVE | MEM_COMMIT,
                                              PAGE_READWRITE);

    CHECK_SAY(!NT_SUCCESS(status), "a page at %llx", place);
}

/* A door there comes back behind it, where nothing is. */
static void check_door(UCHAR *end, USHORT door)
{
    test_protect(end - PAGE_SIZE, 1, PAGE_READWRITE);
    memcpy(end - sizeof door, &door, sizeof door);
    test_protect(end - PAGE_SIZE, 1, PAGE_EXECUTE_READ);
    awaited.rip = (ULONG_PTR)code_ended;
    awaited.rsp = 0;
    awaited.waits = TRUE;
    run_code(end - sizeof door, end - PAGE_SIZE, end, 0);
    check_heard("the last door", (ULONG_PTR)end);
    CHECK(awaited.parameters[0] == EXECUTE &&
          awaited.parameters[1] == (ULONG_PTR)end);
}

/* The last 64 KiB that a region may have; who has them moves over. */
static BOOLEAN take_last(UCHAR *first)
{
    static UCHAR kept[GRANULARITY];
    MEMORY_BASIC_INFORMATION about;
    void *base = first;
    SIZE_T size = 0, length = 0;

    CHECK_STATUS(NtQueryVirtualMemory(NtCurrentProcess(), first,
                                      MemoryBasicInformation, &about,
                                      sizeof about, NULL), STATUS_SUCCESS);
    if (about.State == MEM_COMMIT) {
        length = about.RegionSize;
        memcpy(kept, first, length);
        CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &base, &size,
                                         MEM_RELEASE), STATUS_SUCCESS);
    }
    size = GRANULARITY;
    if (!CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0,
                                              &size, MEM_RESERVE | MEM_COMMIT,
                                              PAGE_READWRITE),
                      STATUS_SUCCESS))
        return FALSE;
    memcpy(first, kept, length);
    return TRUE;
}

static void test_last_page(void)
{
    UCHAR *end = (UCHAR *)(ULONG_PTR)(TOP + 1 - GRANULARITY);

    for (ULONGLONG place = (ULONG_PTR)end; place <= 1ULL << FIRST_BIT;
         place += PAGE_SIZE)
        check_no_page(place);
    if (!take_last(end - GRANULARITY))
        return;
    check_door(end, SYSTEM_CALL);
    check_door(end, INT_2E);
    check_door(end, SYSENTER);
}

/* ---- SYSENTER's return is where rcx says: registers as behind SYSRET ---- */

static void check_left(const struct registers *in)
{
    CHECK(context.Rax == STATUS_SUCCESS && context.Rdx == 0 &&
          context.R10 == 0);
    CHECK(context.Rsp == in->R11 && context.R8 == in->R11 &&
          context.R9 == in->Rbp);
    CHECK(context.Rcx == nearest(in->Rcx) && context.Rip == context.Rcx);
    CHECK(context.Rbx == in->Rbx && context.Rbp == in->Rbp &&
          context.Rsi == in->Rsi && context.Rdi == in->Rdi &&
          context.R12 == in->R12 && context.R15 == in->R15);
    CHECK_SAY(context.R11 == (context.EFlags & ~EFLAGS_RF),
              "r11 %llx, flags %x", context.R11, context.EFlags);
    for (ULONG i = 0; i < 6; i++)
        CHECK_SAY(!context.FltSave.XmmRegisters[i].Low &&
                  !context.FltSave.XmmRegisters[i].High, "xmm%u", i);
}

static void test_far_return(void)
{
    static const UCHAR code[] = { 0x0F, 0x34, 0xC3 };  /* SYSENTER, RET */
    static struct call call;
    UCHAR *page = test_pages(1), *stack = test_pages(STACK / PAGE_SIZE);

    memcpy(page, code, sizeof code);
    test_protect(page, 1, PAGE_EXECUTE_READ);
    call_prepare(&call, page, 0, NULL);
    call.in.Rax = stub_number(find_stub("NtTestAlert"));
    call.in.Rcx = 1ULL << FIRST_BIT;
    call.in.R11 = (ULONG_PTR)stack + STACK;
    awaited.rip = (ULONG_PTR)page + 2;
    awaited.in = &call.in;
    awaited.waits = TRUE;
    call_with_registers(&call);
    awaited.in = NULL;
    check_heard("SYSENTER", call.in.Rcx);
    check_left(&call.in);
}

/* ---- IRETQ with any selectors ---- */

typedef NTSTATUS NTAPI self_test(ULONG test, ULONGLONG argument);

static self_test *kernel_test;
static ULONG selectors;

static void return_by_iretq(void)
{
    kernel_test(BAD_FRAME, selectors);
}

static void check_selectors(ULONG cs, ULONG ss)
{
    selectors = ss << 16 | cs;
    awaited.rip = (ULONG_PTR)code_ended;
    awaited.rsp = 0;
    awaited.waits = TRUE;
    run_code((void *)return_by_iretq, NULL, NULL, 0);
    check_heard("IRETQ", awaited.address | ~0ULL << FIRST_BIT);
}

/*
 * Each of the GDT's, by each RPL, for SS; and for CS those of ring 3's RPL but
 * 32-bit code's, which is no fault.
 */
static void test_iretq(void)
{
    kernel_test = (self_test *)(ULONG_PTR)find_stub("NtwSelfTest");
    if (!kernel_test)
        return;
    for (ULONG ss = 0; ss <= LAST_SELECTOR; ss += ss & 4 ? 4 : 1)
        check_selectors(CS64, ss);
    for (ULONG cs = RPL; cs <= LAST_SELECTOR; cs += 8) {
        if (cs != CS32)
            check_selectors(cs, SS64);
    }
}

void test_returns(void)
{
    test_iretq();
    test_contexts();
    test_far_return();
    test_last_page();
}
