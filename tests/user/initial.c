/*
 * initial.c - what a thread's registers hold before its first instruction:
 * values that the kernel means, and nothing that it had there (G4).
 *
 * The first thread of another process, and another thread of this one, both
 * not yet resumed, as NtGetContextThread tells them; and as a thread's first
 * instruction finds them (initial.asm), made by a thread whose vectors,
 * rounding and masks are others (L5).
 */
#include "test.h"

#include <nt/kuser.h>

#define IMAGE L"\\SystemRoot\\System32\\initial.exe"
#define EFLAGS_OF_A_THREAD 0x202                /* IF, and the 1 */
#define MXCSR_OF_A_THREAD 0x1F80
#define FCW_OF_A_THREAD 0x27F                   /* NT: double precision */
#define SEGMENT_CODE 0x2B
#define SEGMENT_DATA 0x23
#define SEGMENT_TEB 0x3B

static CONTEXT context __attribute__((aligned(16)));

static void check_zero(const char *what, ULONGLONG value)
{
    CHECK_SAY(value == 0, "%s is %llx", what, value);
}

static void check_floating(void)
{
    static const UCHAR zero[sizeof context.FltSave.FloatRegisters];
    const XSAVE_FORMAT *fx = &context.FltSave;

    CHECK_SAY(context.MxCsr == MXCSR_OF_A_THREAD &&
              fx->MxCsr == MXCSR_OF_A_THREAD, "MXCSR %x", fx->MxCsr);
    CHECK_SAY(fx->ControlWord == FCW_OF_A_THREAD && fx->StatusWord == 0 &&
              fx->TagWord == 0, "x87 %x %x %x", fx->ControlWord,
              fx->StatusWord, fx->TagWord);
    CHECK(!memcmp(fx->FloatRegisters, zero, sizeof fx->FloatRegisters));
    CHECK(!memcmp(fx->XmmRegisters, zero, sizeof zero) &&
          !memcmp((const UCHAR *)fx->XmmRegisters + sizeof zero, zero,
                  sizeof zero));
}

/* rcx, rdx, rsp, rip are LdrInitializeThunk's; r10, r11 SYSCALL's. */
static void check_state(HANDLE thread)
{
    memset(&context, 0xCC, sizeof context);
    context.ContextFlags = CONTEXT_ALL;
    if (!CHECK_STATUS(NtGetContextThread(thread, &context), STATUS_SUCCESS))
        return;
    check_zero("rax", context.Rax);
    check_zero("rbx", context.Rbx);
    check_zero("rsi", context.Rsi);
    check_zero("rdi", context.Rdi);
    check_zero("rbp", context.Rbp);
    check_zero("r8", context.R8);
    check_zero("r9", context.R9);
    check_zero("r10", context.R10);
    check_zero("r11", context.R11);
    check_zero("r12", context.R12);
    check_zero("r13", context.R13);
    check_zero("r14", context.R14);
    check_zero("r15", context.R15);
    check_zero("dr0", context.Dr0);
    check_zero("dr1", context.Dr1);
    check_zero("dr2", context.Dr2);
    check_zero("dr3", context.Dr3);
    check_zero("dr7", context.Dr7 & ~0x400ULL);
    CHECK_SAY(context.EFlags == EFLAGS_OF_A_THREAD, "eflags %x",
              context.EFlags);
    CHECK_SAY(context.SegCs == SEGMENT_CODE && context.SegSs == SEGMENT_DATA,
              "cs %x ss %x", context.SegCs, context.SegSs);
    CHECK_SAY(context.Rsp % 8 == 0 && context.Rsp > (ULONG_PTR)PAGE_SIZE &&
              context.Rsp < 0x7FFFFFFF0000, "rsp %llx", context.Rsp);
    CHECK_SAY(context.Rip < 0x7FFFFFFF0000, "rip %llx", context.Rip);
    CHECK_SAY(context.Rcx < 0x7FFFFFFF0000, "rcx %llx", context.Rcx);
    CHECK_SAY(context.Rdx < 0x7FFFFFFF0000, "rdx %llx", context.Rdx);
    check_floating();
}

static void NTAPI nothing(void *argument)
{
    (void)argument;
}

static void check_thread(void)
{
    HANDLE thread = NULL;

    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, TRUE, 0, 0, 0,
                                     nothing, NULL, &thread, NULL),
                 STATUS_SUCCESS);
    check_state(thread);
    CHECK_STATUS(NtTerminateThread(thread, 0), STATUS_SUCCESS);
    NtWaitForSingleObject(thread, FALSE, NULL);
    NtClose(thread);
}

/* ---- What the first instruction finds ---- */

/* initial.asm's. */
struct found {
    ULONGLONG general[16];              /* as in a CONTEXT: rax, rcx... r15 */
    ULONGLONG flags, self;              /* gs:[30h] */
    USHORT selectors[4];                /* ds, es, fs, gs */
    ULONGLONG pad[1];
    UCHAR xsave[1024];
};
extern struct found found;
extern volatile ULONG found_all;
void look_around(void);
_Static_assert(offsetof(struct found, xsave) == 160, "initial.asm");

#define XSAVE_REGISTERS 32              /* where x87's registers begin */
#define XSAVE_LEGACY 512
#define XSAVE_FEATURES 512              /* XSTATE_BV */
#define XSAVE_UPPER 576                 /* of ymm0-15, 256 bytes */
#define UPPER 4

static void spoil_vectors(void)
{
    const KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;
    static const ULONG mxcsr = 0x7FBF & ~0x1F80U;
    static const USHORT control = 0xC40;

    if (shared->XState.EnabledFeatures & UPPER)
        __asm__ volatile(
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
            "vcmpps $15, %%ymm\\n, %%ymm\\n, %%ymm\\n\n\t"
            ".endr"
            : : : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                  "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                  "xmm14", "xmm15");
    __asm__ volatile("ldmxcsr %0\n\tfninit\n\tfldpi\n\tfldpi\n\tfldcw %1"
                     : : "m"(mxcsr), "m"(control));
}

static void make_good_again(void)
{
    static const ULONG mxcsr = MXCSR_OF_A_THREAD;

    __asm__ volatile("fninit\n\tldmxcsr %0" : : "m"(mxcsr));
}

static void check_found_floating(void)
{
    const XSAVE_FORMAT *fx = (const XSAVE_FORMAT *)found.xsave;
    ULONGLONG features = *(ULONGLONG *)(found.xsave + XSAVE_FEATURES);
    ULONG at, end = XSAVE_LEGACY - 96;

    CHECK_SAY(fx->MxCsr == MXCSR_OF_A_THREAD, "MXCSR %x", fx->MxCsr);
    CHECK_SAY(fx->ControlWord == FCW_OF_A_THREAD && fx->StatusWord == 0 &&
              fx->TagWord == 0, "x87 %x %x %x", fx->ControlWord,
              fx->StatusWord, fx->TagWord);
    for (at = XSAVE_REGISTERS; at < end; at++)
        CHECK_SAY(found.xsave[at] == 0, "byte %x of FXSAVE", at);
    for (at = XSAVE_UPPER; (features & UPPER) && at < XSAVE_UPPER + 256; at++)
        CHECK_SAY(found.xsave[at] == 0, "byte %x of XSAVE", at);
}

/* What NtGetContextThread has told before is what it finds. */
static void check_found(const TEB *teb)
{
    ULONG at;

    for (at = 0; at < 16; at++)
        CHECK_SAY(found.general[at] == (&context.Rax)[at],
                  "register %u: %llx, not %llx", at, found.general[at],
                  (&context.Rax)[at]);
    CHECK_SAY(found.flags == EFLAGS_OF_A_THREAD, "flags %llx", found.flags);
    CHECK(found.self == (ULONGLONG)teb);
    CHECK_SAY(found.selectors[0] == SEGMENT_DATA &&
              found.selectors[1] == SEGMENT_DATA &&
              found.selectors[2] == SEGMENT_TEB &&
              found.selectors[3] == SEGMENT_DATA, "%x %x %x %x",
              found.selectors[0], found.selectors[1], found.selectors[2],
              found.selectors[3]);
    check_found_floating();
}

static void check_first_instruction(void)
{
    THREAD_BASIC_INFORMATION basic = { 0 };
    HANDLE thread = NULL;

    spoil_vectors();
    RtlCreateUserThread(NtCurrentProcess(), NULL, TRUE, 0, 0, 0, nothing, NULL,
                        &thread, NULL);
    make_good_again();
    check_state(thread);
    NtQueryInformationThread(thread, ThreadBasicInformation, &basic,
                             sizeof basic, NULL);
    context.ContextFlags = CONTEXT_CONTROL;
    context.Rip = (ULONG_PTR)look_around;
    CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
    spoil_vectors();
    NtResumeThread(thread, NULL);
    while (!found_all)
        NtYieldExecution();
    make_good_again();
    check_found(basic.TebBaseAddress);
    CHECK_STATUS(NtTerminateThread(thread, 0), STATUS_SUCCESS);
    NtWaitForSingleObject(thread, FALSE, NULL);
    NtClose(thread);
}

static void check_process(void)
{
    RTL_USER_PROCESS_PARAMETERS *parameters = NULL;
    RTL_USER_PROCESS_INFORMATION child;
    UNICODE_STRING image;

    RtlInitUnicodeString(&image, IMAGE);
    CHECK_STATUS(RtlCreateProcessParametersEx(&parameters, &image, NULL, NULL,
                                              NULL, NULL, NULL, NULL, NULL,
                                              NULL, 0), STATUS_SUCCESS);
    if (!CHECK_STATUS(RtlCreateUserProcess(&image, 0, parameters, NULL, NULL,
                                           NULL, FALSE, NULL, NULL, &child),
                      STATUS_SUCCESS))
        return;
    check_state(child.ThreadHandle);
    CHECK_STATUS(NtTerminateProcess(child.ProcessHandle, 0), STATUS_SUCCESS);
    NtWaitForSingleObject(child.ProcessHandle, FALSE, NULL);
    NtClose(child.ThreadHandle);
    NtClose(child.ProcessHandle);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_thread();
    check_first_instruction();
    check_process();
    return test_end();
}
