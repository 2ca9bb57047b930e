/*
 * context.c - RtlCaptureContext.
 *
 * The one routine of ntdll that must see registers before any C prologue has
 * changed them: it is naked, and the compiler supplies CONTEXT's offsets.
 *
 * NT: on i386 the captured state is not the caller's own but that of whoever
 * called the caller, by the frame pointer: Ebp, Eip and Esp as if the caller
 * had returned.  The caller must therefore have a frame.
 */
#include <ntdll.h>

#define AT(field) [field] "i"(offsetof(CONTEXT, field))
#define STORE(register, field) "movl %%" #register ", %c[" #field "](%%eax)\n"
#define STORE_SEGMENT(register, field) \
    "movl %%" #register ", %%ecx\n" STORE(ecx, field)

/* [esp + 4] = CONTEXT to fill; no register is lost. */
__attribute__((naked)) void NTAPI RtlCaptureContext(
    CONTEXT *Context __attribute__((unused)))
{
    __asm__ volatile(
        "pushl %%eax\n"
        "movl 8(%%esp), %%eax\n"
        STORE(ecx, Ecx) STORE(edx, Edx) STORE(ebx, Ebx)
        STORE(esi, Esi) STORE(edi, Edi)
        "pushl %%ecx\n"
        "pushfl\n"
        "popl %c[EFlags](%%eax)\n"
        "movl 4(%%esp), %%ecx\n"
        STORE(ecx, Eax)
        "movl (%%ebp), %%ecx\n" STORE(ecx, Ebp)
        "movl 4(%%ebp), %%ecx\n" STORE(ecx, Eip)
        "leal 8(%%ebp), %%ecx\n" STORE(ecx, Esp)
        STORE_SEGMENT(cs, SegCs) STORE_SEGMENT(ss, SegSs)
        STORE_SEGMENT(ds, SegDs) STORE_SEGMENT(es, SegEs)
        STORE_SEGMENT(fs, SegFs) STORE_SEGMENT(gs, SegGs)
        "movl %[full], %c[ContextFlags](%%eax)\n"
        "popl %%ecx\n"
        "popl %%eax\n"
        "ret $4\n"
        :
        : AT(Eax), AT(Ecx), AT(Edx), AT(Ebx), AT(Ebp), AT(Esi), AT(Edi),
          AT(EFlags), AT(Eip), AT(Esp), AT(SegCs), AT(SegSs), AT(SegDs),
          AT(SegEs), AT(SegFs), AT(SegGs), AT(ContextFlags),
          [full] "i"(CONTEXT_FULL));
}
