/*
 * wow64.c - a 32-bit program: XP's numbers, where arguments may lie, what
 * becomes of them, and NtContinue with XP's CONTEXT.
 *
 * What the services say is in answers.c.  INT 2Eh takes edx as it is, so it
 * is the door for arguments at strange places.
 */
#include "test.h"

#define NT_CLOSE 0x19
#define NT_LIMIT 0x11C
#define NT_YIELD_EXECUTION 0x116
#define NT_SYSTEM_DEBUG_CONTROL 0xFF
#define NTW_ECHO14 0x30E
#define NTW_WIDEN 0x311
#define W32_GDI_FLUSH 0x1097
#define W32_LIMIT 0x129B

static ULONG int2e(ULONG number, ULONG edx)
{
    __asm__ volatile("int $0x2e" : "+a"(number), "+d"(edx) : : "ecx",
                     "memory");
    return number;
}

static ULONG system_calls(void)
{
    UCHAR counters[0x138];
    ULONG count;

    CHECK_STATUS(NtQuerySystemInformation(SystemPerformanceInformation,
                                          counters, sizeof counters, NULL),
                 STATUS_SUCCESS);
    memcpy(&count, counters + 0x134, sizeof count);
    return count;
}

/* ---- Numbers ---- */

static void check_number(ULONG number, NTSTATUS expected)
{
    const ULONG arguments[16] = { 0x1234 };
    ULONG status = int2e(number, (ULONG)arguments);

    CHECK_SAY((NTSTATUS)status == expected, "number %x: %08x, not %08x",
              number, status, expected);
}

/* win32k's limit counts from the first call: this thread is no GUI thread. */
static void check_numbers(void)
{
    check_number(0x1000 | 0xFFF, STATUS_INVALID_SYSTEM_SERVICE);
    check_number(W32_LIMIT, STATUS_INVALID_SYSTEM_SERVICE);
    check_number(W32_LIMIT - 1, STATUS_INVALID_SYSTEM_SERVICE);
    check_number(W32_GDI_FLUSH, STATUS_SUCCESS);
    check_number(NT_CLOSE, STATUS_INVALID_HANDLE);
    check_number(0, STATUS_INVALID_SYSTEM_SERVICE);
    check_number(NT_LIMIT - 1, STATUS_INVALID_SYSTEM_SERVICE);
    check_number(NT_LIMIT, STATUS_INVALID_SYSTEM_SERVICE);
    check_number(0xFFF, STATUS_INVALID_SYSTEM_SERVICE);
    check_number(NT_SYSTEM_DEBUG_CONTROL, STATUS_NOT_SUPPORTED);
    for (ULONG bit = 14; bit < 32; bit++)
        check_number(NT_CLOSE | 1u << bit, STATUS_INVALID_HANDLE);
    for (ULONG table = 2; table < 4; table++) {
        check_number(table << 12 | NT_CLOSE, STATUS_INVALID_SYSTEM_SERVICE);
        check_number(table << 12 | (W32_GDI_FLUSH & 0xFFF),
                     STATUS_INVALID_SYSTEM_SERVICE);
    }
}

/* XP counts a call when it has found the routine, before its arguments. */
static void check_count(void)
{
    ULONG before = system_calls();

    CHECK(system_calls() == before + 1);
    int2e(NT_CLOSE, 0);
    CHECK(system_calls() == before + 3);
    int2e(0xFFF, 0);
    CHECK(system_calls() == before + 4);
}

/* ---- Where the arguments are ---- */

static void check_place(ULONG number, ULONG edx, NTSTATUS expected)
{
    ULONG status = int2e(number, edx);

    CHECK_SAY((NTSTATUS)status == expected, "%x, edx %x: %08x, not %08x",
              number, edx, status, expected);
}

static void check_places(void)
{
    static const ULONG bad[] = {
        0, 1, 0xFFFF, 0x7FFE1000, 0x7FFEFFFC, 0x7FFEFFFF, 0x7FFF0000,
        0x7FFFFFFC, 0x80000000, 0xFFDF0000, 0xFFFFFFF8, 0xFFFFFFFC,
        0xFFFFFFFF,
    };
    UCHAR *pages = test_pages(2);
    ULONG end = (ULONG)pages + PAGE_SIZE;

    for (ULONG i = 0; i < ARRAY_SIZE(bad); i++) {
        check_place(NT_CLOSE, bad[i], STATUS_ACCESS_VIOLATION);
        check_place(W32_GDI_FLUSH, bad[i], bad[i] < 0x7FFF0000
                    ? STATUS_SUCCESS : STATUS_ACCESS_VIOLATION);
        check_place(NT_YIELD_EXECUTION, bad[i], bad[i] < 0x7FFF0000
                    ? STATUS_NO_YIELD_PERFORMED : STATUS_ACCESS_VIOLATION);
    }
    test_protect(pages + PAGE_SIZE, 1, PAGE_NOACCESS);
    check_place(NT_CLOSE, end - 4, STATUS_INVALID_HANDLE);
    check_place(NT_CLOSE, end - 5, STATUS_INVALID_HANDLE);
    check_place(NT_CLOSE, end - 3, STATUS_ACCESS_VIOLATION);
    check_place(NT_CLOSE, end, STATUS_ACCESS_VIOLATION);
    check_place(NT_SYSTEM_DEBUG_CONTROL, end - 24, STATUS_NOT_SUPPORTED);
    check_place(NT_SYSTEM_DEBUG_CONTROL, end - 20, STATUS_ACCESS_VIOLATION);
    test_protect(pages, 1, PAGE_READONLY);
    check_place(NT_CLOSE, (ULONG)pages, STATUS_INVALID_HANDLE);
    test_protect(pages, 1, PAGE_READWRITE | PAGE_GUARD);
    check_place(NT_CLOSE, (ULONG)pages, STATUS_GUARD_PAGE_VIOLATION);
    check_place(NT_CLOSE, (ULONG)pages, STATUS_INVALID_HANDLE);
}

/* ---- What becomes of them: the test build's own services ---- */

static void check_widening(void)
{
    ULONGLONG values[6];
    ULONG slots[] = { (ULONG)values, 0x80000001, 0x80000002, 0xFFFFFFFE,
                      0x89ABCDEF, 0xFEDCBA98, 0xFFFFFFFF };

    if (int2e(NTW_WIDEN, (ULONG)slots) == (ULONG)STATUS_INVALID_SYSTEM_SERVICE)
        return;
    CHECK(values[0] == (ULONG)values);
    CHECK(values[1] == 0x80000001);
    CHECK(values[2] == 0xFFFFFFFF80000002);
    CHECK(values[3] == 0xFFFFFFFFFFFFFFFE);
    CHECK(values[4] == 0xFEDCBA9889ABCDEF);
    CHECK(values[5] == 0xFFFFFFFFFFFFFFFF);
    slots[2] = slots[6] = 0x7FFFFFFF;
    CHECK_STATUS(int2e(NTW_WIDEN, (ULONG)slots), STATUS_SUCCESS);
    CHECK(values[2] == 0x7FFFFFFF && values[5] == 0x7FFFFFFF);
}

static void check_eighteen(void)
{
    ULONGLONG values[18];
    ULONG slots[18] = { (ULONG)values };

    for (ULONG i = 1; i < 18; i++)
        slots[i] = 0xF0000000 + i;
    if (int2e(NTW_ECHO14, (ULONG)slots) ==
        (ULONG)STATUS_INVALID_SYSTEM_SERVICE)
        return;
    for (ULONG i = 0; i < 18; i++)
        CHECK_SAY(values[i] == slots[i], "argument %u: %llx", i + 1,
                  values[i]);
}

/* ---- Lengths that XP's structures have and ours have not ---- */

static void check_length(ULONG class, ULONG size)
{
    UCHAR buffer[0x140];
    ULONG returned = 0;

    CHECK_STATUS(NtQuerySystemInformation(class, buffer, size - 1, &returned),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK(returned == size);
    CHECK_STATUS(NtQuerySystemInformation(class, buffer, size, &returned),
                 STATUS_SUCCESS);
    CHECK(returned == size);
}

static void check_system(void)
{
    SYSTEM_BASIC_INFORMATION basic;

    check_length(SystemBasicInformation, 0x2C);
    check_length(SystemPerformanceInformation, 0x138);
    CHECK_STATUS(NtQuerySystemInformation(SystemBasicInformation, &basic,
                                          sizeof basic, NULL),
                 STATUS_SUCCESS);
    CHECK(basic.MaximumUserModeAddress == 0x7FFEFFFF);
}

/* The working set is emptied; what was written is still there. */
static void check_quota(void)
{
    QUOTA_LIMITS limits = { .MinimumWorkingSetSize = ~(SIZE_T)0,
                            .MaximumWorkingSetSize = ~(SIZE_T)0 };
    static volatile ULONG word;

    word = 77;
    CHECK(sizeof limits == 0x20);
    CHECK_STATUS(NtSetInformationProcess(NtCurrentProcess(),
                                         ProcessQuotaLimits, &limits,
                                         sizeof limits), STATUS_SUCCESS);
    CHECK(word == 77);
    CHECK_STATUS(NtSetInformationProcess(NtCurrentProcess(),
                                         ProcessQuotaLimits, &limits, 0x30),
                 STATUS_INFO_LENGTH_MISMATCH);
    limits.MinimumWorkingSetSize = 0x10000;
    CHECK_STATUS(NtSetInformationProcess(NtCurrentProcess(),
                                         ProcessQuotaLimits, &limits,
                                         sizeof limits),
                 STATUS_PRIVILEGE_NOT_HELD);
}

/* ---- The batch in the TEB ---- */

static void check_batch(void)
{
    TEB *teb = NtCurrentTeb();
    const ULONG fill[8] = { 32, 1, 0, 0, 4, 4, 0xFF00FF, 0 };

    for (ULONG good = 0; good < 2; good++) {
        teb->GdiTebBatch.HDC = good ? (ULONG_PTR)NtUserGetDC(NULL) : 0x66;
        teb->GdiTebBatch.Offset = sizeof fill - 4;
        memcpy(teb->GdiTebBatch.Buffer, fill, sizeof fill);
        teb->GdiTebBatch.Buffer[0] = sizeof fill - 4;
        teb->GdiBatchCount = 1;
        NtYieldExecution();
        CHECK(teb->GdiBatchCount == 1);
        CHECK_STATUS(NtGdiFlush(), STATUS_SUCCESS);
        CHECK(teb->GdiBatchCount == 0 && teb->GdiTebBatch.Offset == 0);
    }
}

/* ---- NtContinue ---- */

#define LANDED 0x103
#define FLAGS_FIXED 0x202
#define FLAGS_ARITHMETIC 0x8D5
#define FLAGS_FORBIDDEN 0x1B7000                /* IOPL NT RF VM VIF VIP */

struct landed {
    ULONG eax, ecx, edx, ebx, esp, ebp, esi, edi;   /* 00 */
    ULONG flags;                                    /* 20 */
    ULONG cs, ss, ds, es, fs;                       /* 24 */
    ULONG back_ebx, back_ebp;                       /* 38: NtContinue's rest */
};
struct landed got;
UCHAR got_state[512] __attribute__((aligned(16)));
ULONG saved_esp;

/* LANDED where the context led here, else what NtContinue came back with. */
NTSTATUS continue_and_land(CONTEXT *context);
void landing(void);
__asm__(
    ".globl _continue_and_land\n"
    "_continue_and_land:\n"
    "    push %ebp\n"
    "    push %ebx\n"
    "    push %esi\n"
    "    push %edi\n"
    "    mov %esp, _saved_esp\n"
    "    mov 20(%esp), %eax\n"
    "    mov $0x0B0B0B0B, %ebx\n"
    "    mov $0x0C0C0C0C, %ebp\n"
    "    push $0\n"
    "    push %eax\n"
    "    call _NtContinue@8\n"
    "    mov %ebx, _got + 0x38\n"
    "    mov %ebp, _got + 0x3C\n"
    "    jmp 1f\n"
    ".globl _landing\n"
    "_landing:\n"
    "    mov %eax, _got\n"
    "    mov %ecx, _got + 4\n"
    "    mov %edx, _got + 8\n"
    "    mov %ebx, _got + 0xC\n"
    "    mov %esp, _got + 0x10\n"
    "    mov %ebp, _got + 0x14\n"
    "    mov %esi, _got + 0x18\n"
    "    mov %edi, _got + 0x1C\n"
    "    mov %cs, _got + 0x24\n"
    "    mov %ss, _got + 0x28\n"
    "    mov %ds, _got + 0x2C\n"
    "    mov %es, _got + 0x30\n"
    "    mov %fs, _got + 0x34\n"
    "    fxsave _got_state\n"
    "    pushfl\n"
    "    popl _got + 0x20\n"
    "    pushl $0x202\n"
    "    popfl\n"
    "    mov $0x103, %eax\n"
    "1:  mov _saved_esp, %esp\n"
    "    pop %edi\n"
    "    pop %esi\n"
    "    pop %ebx\n"
    "    pop %ebp\n"
    "    ret\n");

static CONTEXT context;
static UCHAR other_stack[0x1000];

static void prepare(ULONG flags)
{
    memset(&context, 0xEE, sizeof context);
    memset(&got, 0, sizeof got);
    context.ContextFlags = flags;
    context.Eax = 0x11111111;
    context.Ecx = 0x22222222;
    context.Edx = 0x33333333;
    context.Ebx = 0x44444444;
    context.Ebp = 0x55555555;
    context.Esi = 0x66666666;
    context.Edi = 0xF7777777;
    context.Eip = (ULONG)landing;
    context.Esp = (ULONG)other_stack + sizeof other_stack - 0x20;
    context.EFlags = FLAGS_FIXED | FLAGS_ARITHMETIC;
}

static void check_registers(void)
{
    prepare(CONTEXT_FULL);
    context.SegCs = 8;
    context.SegSs = 0x10;
    if (!CHECK_STATUS(continue_and_land(&context), LANDED))
        return;
    CHECK(got.eax == context.Eax && got.ecx == context.Ecx);
    CHECK(got.edx == context.Edx && got.ebx == context.Ebx);
    CHECK(got.esp == context.Esp && got.ebp == context.Ebp);
    CHECK(got.esi == context.Esi && got.edi == context.Edi);
    CHECK(got.flags == context.EFlags);
    CHECK((got.cs & 0xFFFF) == 0x1B && (got.ss & 0xFFFF) == 0x23);
    CHECK((got.ds & 0xFFFF) == 0x23 && (got.es & 0xFFFF) == 0x23 &&
          (got.fs & 0xFFFF) == 0x3B);
    CHECK(NtCurrentTeb()->NtTib.Self == (void *)NtCurrentTeb());
}

/* Ebp is of the control part here, and not of the integer part. */
static void check_parts(void)
{
    prepare(CONTEXT_CONTROL);
    if (CHECK_STATUS(continue_and_land(&context), LANDED)) {
        CHECK(got.ebp == context.Ebp && got.ebx == 0x0B0B0B0B);
        CHECK(got.eax == 0 && got.ecx == 0 && got.edx == 0);
    }
    prepare(CONTEXT_INTEGER);
    CHECK_STATUS(continue_and_land(&context), (NTSTATUS)context.Eax);
    CHECK(got.back_ebx == context.Ebx && got.back_ebp == 0x0C0C0C0C);
    prepare(CONTEXT_i386);
    CHECK_STATUS(continue_and_land(&context), 0);
    CHECK(got.back_ebx == 0x0B0B0B0B && got.back_ebp == 0x0C0C0C0C);
}

static void check_flags(void)
{
    prepare(CONTEXT_FULL);
    context.EFlags = FLAGS_FORBIDDEN | 0x400;
    if (!CHECK_STATUS(continue_and_land(&context), LANDED))
        return;
    CHECK_SAY(!(got.flags & 0x1A3000), "flags %x", got.flags);
    CHECK((got.flags & 0x600) == 0x600);
}

/* What an image says of MXCSR and the control word, and of xmm n. */
static USHORT control_of(const UCHAR *state)
{
    return (USHORT)(state[0] | state[1] << 8);
}

#define MXCSR 0x18
#define X87 0x20
#define XMM 0xA0

static void check_extended(void)
{
    UCHAR *state = context.ExtendedRegisters;

    prepare(CONTEXT_FULL | CONTEXT_EXTENDED_REGISTERS |
            CONTEXT_FLOATING_POINT);
    memset(state, 0, sizeof context.ExtendedRegisters);
    state[0] = 0x7F;                    /* control word 027F */
    state[1] = 2;
    state[4] = 0x81;                    /* two registers in use */
    state[MXCSR] = 0x80;                /* 5F80 */
    state[MXCSR + 1] = 0x5F;
    for (ULONG i = X87; i < XMM + 0x80; i++)
        state[i] = i < XMM && i % 16 > 9 ? 0 : (UCHAR)(i * 7);
    memset(state + 8, 0xFF, 16);        /* instruction and data pointers */
    if (!CHECK_STATUS(continue_and_land(&context), LANDED))
        return;
    CHECK(control_of(got_state) == 0x027F && got_state[4] == 0x81);
    CHECK(!memcmp(got_state + MXCSR, state + MXCSR, 4));
    CHECK(!memcmp(got_state + X87, state + X87, XMM + 0x80 - X87));

    prepare(CONTEXT_FULL | CONTEXT_EXTENDED_REGISTERS);
    memset(state, 0xFF, sizeof context.ExtendedRegisters);
    if (CHECK_STATUS(continue_and_land(&context), LANDED))
        CHECK(got_state[MXCSR + 2] == 0 && got_state[MXCSR + 3] == 0);
    __asm__ volatile("fninit");
}

/* FloatSave alone: st(0) is 1.0, and no XMM register changes. */
static void check_float(void)
{
    FLOATING_SAVE_AREA *area = &context.FloatSave;
    static const UCHAR pattern[16] = "keep this please";
    static const ULONG mxcsr = 0x1F80;

    prepare(CONTEXT_FULL | CONTEXT_FLOATING_POINT);
    __asm__ volatile("fninit\n\tfld1\n\tfnsave %0" : "=m"(*area));
    area->ControlWord = 0xFFFF0A7F;
    __asm__ volatile("movups %0, %%xmm0\n\tmovups %0, %%xmm7\n\tldmxcsr %1"
                     : : "m"(pattern), "m"(mxcsr));
    if (!CHECK_STATUS(continue_and_land(&context), LANDED))
        return;
    CHECK(control_of(got_state) == 0x0A7F);
    CHECK_SAY(got_state[4] == 0x80, "tags %x", got_state[4]);
    CHECK(got_state[X87 + 7] == 0x80 && got_state[X87 + 9] == 0x3F);
    CHECK(!memcmp(got_state + XMM, pattern, sizeof pattern));
    CHECK(!memcmp(got_state + XMM + 7 * 16, pattern, sizeof pattern));
    CHECK(!memcmp(got_state + MXCSR, &mxcsr, sizeof mxcsr));
    __asm__ volatile("fninit");
}

/* Without a floating-point part nothing of it changes. */
static void check_no_float(void)
{
    static const UCHAR pattern[16] = "keep that please";

    prepare(CONTEXT_FULL);
    __asm__ volatile("movups %0, %%xmm0\n\tmovups %0, %%xmm5\n\t"
                     "movups %0, %%xmm7" : : "m"(pattern));
    if (!CHECK_STATUS(continue_and_land(&context), LANDED))
        return;
    CHECK(!memcmp(got_state + XMM, pattern, sizeof pattern));
    CHECK(!memcmp(got_state + XMM + 5 * 16, pattern, sizeof pattern));
    CHECK(!memcmp(got_state + XMM + 7 * 16, pattern, sizeof pattern));
}

static void check_pointer(ULONG pointer, NTSTATUS expected)
{
    NTSTATUS status = continue_and_land((CONTEXT *)pointer);

    CHECK_SAY(status == expected, "CONTEXT at %x: %08x, not %08x", pointer,
              status, expected);
}

static void check_bad_contexts(void)
{
    UCHAR *pages = test_pages(2);
    ULONG end = (ULONG)pages + PAGE_SIZE;

    prepare(CONTEXT_FULL);
    memcpy(pages, &context, sizeof context);
    check_pointer(0, STATUS_ACCESS_VIOLATION);
    check_pointer(0x80000000, STATUS_ACCESS_VIOLATION);
    check_pointer(0xFFFFFFFC, STATUS_ACCESS_VIOLATION);
    check_pointer((ULONG)pages + 1, STATUS_DATATYPE_MISALIGNMENT);
    check_pointer((ULONG)pages + 2, STATUS_DATATYPE_MISALIGNMENT);
    test_protect(pages + PAGE_SIZE, 1, PAGE_NOACCESS);
    check_pointer(end - sizeof context + 4, STATUS_ACCESS_VIOLATION);
    memcpy((void *)(end - sizeof context), &context, sizeof context);
    check_pointer(end - sizeof context, LANDED);
    context.ContextFlags = 0;
    check_pointer((ULONG)&context, STATUS_INVALID_PARAMETER);
    context.ContextFlags = 0x10000B;    /* AMD64's CONTEXT_FULL */
    check_pointer((ULONG)&context, STATUS_INVALID_PARAMETER);
}

/*
 * Without the memory that 64-bit forms are made in, calls that need one are
 * refused and the others go on.  Nothing can be printed from then on.
 */
static BOOLEAN check_translation_area(void)
{
    void *area = (void *)0x7FFD3000;
    SIZE_T size = 0x8000;
    UNICODE_STRING text = { 2, 2, (WCHAR *)L"?" };
    ULONG old;

    return NtProtectVirtualMemory(NtCurrentProcess(), &area, &size,
                                  PAGE_NOACCESS, &old) == STATUS_SUCCESS &&
           NtDisplayString(&text) == STATUS_ACCESS_VIOLATION &&
           NtFreeVirtualMemory(NtCurrentProcess(), &area, &size,
                               MEM_RELEASE) == STATUS_ACCESS_VIOLATION &&
           NtClose((HANDLE)0x1234) == STATUS_INVALID_HANDLE &&
           NtYieldExecution() == STATUS_NO_YIELD_PERFORMED;
}

/* ---- What is written: a SIZE_T has 4 bytes ---- */

static void check_counts(void)
{
    static ULONG from, to;
    ULONG count[2] = { 0, 0xA5A5A5A5 };

    CHECK_STATUS(NtReadVirtualMemory(NtCurrentProcess(), &from, &to,
                                     sizeof to, count), STATUS_SUCCESS);
    CHECK(count[0] == sizeof to && count[1] == 0xA5A5A5A5);
    CHECK_STATUS(NtWriteVirtualMemory(NtCurrentProcess(), &to, &from,
                                      1, count), STATUS_SUCCESS);
    CHECK(count[0] == 1 && count[1] == 0xA5A5A5A5);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    NTSTATUS status;

    (void)peb;
    check_numbers();
    check_count();
    check_places();
    check_widening();
    check_counts();
    check_eighteen();
    check_system();
    check_quota();
    check_batch();
    check_registers();
    check_parts();
    check_flags();
    check_extended();
    check_float();
    check_no_float();
    check_bad_contexts();
    status = test_end();
    return check_translation_area() ? status : 2;
}
