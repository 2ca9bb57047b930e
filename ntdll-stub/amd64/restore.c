/*
 * restore.c - going on with a context, and the two kinds of jump that end an
 * unwinding: longjmp's, and the one that first calls a routine.
 *
 * NT: loads the registers and leaves by IRETQ, or by NtContinue where there
 * are shadow stacks; here always by NtContinue.
 */
#include "unwindp.h"

#define FIRST_VECTOR    6                       /* non-volatile: xmm6 on */

/* execute.asm: call routine(record) in the frame of context, then go on at
 * the address that it returns. */
__attribute__((noreturn)) void rtl_consolidate(CONTEXT *context,
                                               EXCEPTION_RECORD *record,
                                               ULONG_PTR routine);

static void load_jump_buffer(CONTEXT *context, const _JUMP_BUFFER *buffer)
{
    context->Rbx = buffer->Rbx;
    context->Rsp = buffer->Rsp;
    context->Rbp = buffer->Rbp;
    context->Rsi = buffer->Rsi;
    context->Rdi = buffer->Rdi;
    context->R12 = buffer->R12;
    context->R13 = buffer->R13;
    context->R14 = buffer->R14;
    context->R15 = buffer->R15;
    context->Rip = buffer->Rip;
    context->MxCsr = context->FltSave.MxCsr = buffer->MxCsr;
    context->FltSave.ControlWord = buffer->FpCsr;
    memcpy(&context->FltSave.XmmRegisters[FIRST_VECTOR], buffer->Xmm,
           sizeof buffer->Xmm);
}

/* Does not come back. */
void NTAPI RtlRestoreContext(CONTEXT *ContextRecord,
                             EXCEPTION_RECORD *ExceptionRecord)
{
    const EXCEPTION_RECORD *record = ExceptionRecord;

    if (record && record->NumberParameters) {
        if (record->ExceptionCode == STATUS_LONGJUMP)
            load_jump_buffer(ContextRecord,
                             (void *)record->ExceptionInformation[0]);
        else if (record->ExceptionCode == STATUS_UNWIND_CONSOLIDATE)
            rtl_consolidate(ContextRecord, ExceptionRecord,
                            record->ExceptionInformation[0]);
    }
    RtlRaiseStatus(NtContinue(ContextRecord, FALSE));
}

#define AT(field) [field] "i"(offsetof(_JUMP_BUFFER, field))
#define STORE(register, field) "movq %%" #register ", %c[" #field "](%%rcx)\n"
#define STORE_VECTOR(number) \
    "movups %%xmm" #number ", %c[Xmm]+16*(" #number "-6)(%%rcx)\n"

/* rcx = buffer, rdx = the caller's frame as its unwind information has it. */
__attribute__((naked)) int _setjmpex(
    _JUMP_BUFFER *buffer __attribute__((unused)),
    void *frame __attribute__((unused)))
{
    __asm__ volatile(
        STORE(rdx, Frame) STORE(rbx, Rbx) STORE(rbp, Rbp) STORE(rsi, Rsi)
        STORE(rdi, Rdi) STORE(r12, R12) STORE(r13, R13) STORE(r14, R14)
        STORE(r15, R15)
        "leaq 8(%%rsp), %%rax\n"
        STORE(rax, Rsp)
        "movq (%%rsp), %%rax\n"
        STORE(rax, Rip)
        "stmxcsr %c[MxCsr](%%rcx)\n"
        "fnstcw %c[FpCsr](%%rcx)\n"
        STORE_VECTOR(6) STORE_VECTOR(7) STORE_VECTOR(8) STORE_VECTOR(9)
        STORE_VECTOR(10) STORE_VECTOR(11) STORE_VECTOR(12) STORE_VECTOR(13)
        STORE_VECTOR(14) STORE_VECTOR(15)
        "xorl %%eax, %%eax\n"
        "ret\n"
        :
        : AT(Frame), AT(Rbx), AT(Rbp), AT(Rsi), AT(Rdi), AT(R12), AT(R13),
          AT(R14), AT(R15), AT(Rsp), AT(Rip), AT(MxCsr), AT(FpCsr), AT(Xmm));
}

/* Without a frame: longjmp will not unwind. */
__attribute__((naked)) int _setjmp(
    _JUMP_BUFFER *buffer __attribute__((unused)))
{
    __asm__ volatile("xorl %edx, %edx\n"
                     "jmp _setjmpex\n");
}

void longjmp(_JUMP_BUFFER *buffer, int value)
{
    EXCEPTION_RECORD record = { .ExceptionCode = STATUS_LONGJUMP,
                                .NumberParameters = 1,
                                .ExceptionInformation = {
                                    (ULONG_PTR)buffer } };
    CONTEXT context;
    ULONGLONG result = value ? (ULONG)value : 1;

    if (buffer->Frame)
        RtlUnwind((void *)buffer->Frame, (void *)buffer->Rip, &record,
                  (void *)result);
    RtlCaptureContext(&context);
    context.Rax = result;
    RtlRestoreContext(&context, &record);
    __builtin_unreachable();
}
