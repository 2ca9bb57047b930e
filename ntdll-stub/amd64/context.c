/*
 * context.c - RtlCaptureContext.
 *
 * The one routine of ntdll that must see registers before any C prologue has
 * changed them: it is naked, and the compiler supplies CONTEXT's offsets.
 */
#include <ntdll.h>

#define AT(field) [field] "i"(offsetof(CONTEXT, field))
#define STORE(register, field) "movq %%" #register ", %c[" #field "](%%rcx)\n"

/* rcx = CONTEXT to fill: the caller's state as if this call had returned. */
__attribute__((naked)) void NTAPI RtlCaptureContext(
    CONTEXT *Context __attribute__((unused)))
{
    __asm__ volatile(
        "pushfq\n"
        STORE(rax, Rax) STORE(rcx, Rcx) STORE(rdx, Rdx) STORE(rbx, Rbx)
        STORE(rbp, Rbp) STORE(rsi, Rsi) STORE(rdi, Rdi)
        STORE(r8, R8) STORE(r9, R9) STORE(r10, R10) STORE(r11, R11)
        STORE(r12, R12) STORE(r13, R13) STORE(r14, R14) STORE(r15, R15)
        "popq %%rax\n"
        "movl %%eax, %c[EFlags](%%rcx)\n"
        "movq (%%rsp), %%rax\n"
        STORE(rax, Rip)
        "leaq 8(%%rsp), %%rax\n"
        STORE(rax, Rsp)
        "movw %%cs, %c[SegCs](%%rcx)\n"
        "movw %%ss, %c[SegSs](%%rcx)\n"
        "movw %%ds, %c[SegDs](%%rcx)\n"
        "movw %%es, %c[SegEs](%%rcx)\n"
        "movw %%fs, %c[SegFs](%%rcx)\n"
        "movw %%gs, %c[SegGs](%%rcx)\n"
        "fxsave64 %c[FltSave](%%rcx)\n"
        "stmxcsr %c[MxCsr](%%rcx)\n"
        "movl %[full], %c[ContextFlags](%%rcx)\n"
        "movq %c[Rax](%%rcx), %%rax\n"
        "ret\n"
        :
        : AT(Rax), AT(Rcx), AT(Rdx), AT(Rbx), AT(Rbp), AT(Rsi), AT(Rdi),
          AT(R8), AT(R9), AT(R10), AT(R11), AT(R12), AT(R13), AT(R14),
          AT(R15), AT(EFlags), AT(Rip), AT(Rsp), AT(SegCs), AT(SegSs),
          AT(SegDs), AT(SegEs), AT(SegFs), AT(SegGs), AT(FltSave),
          AT(MxCsr), AT(ContextFlags),
          [full] "i"(CONTEXT_FULL | CONTEXT_SEGMENTS));
}
