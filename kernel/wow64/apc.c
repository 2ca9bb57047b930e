/*
 * wow64/apc.c - the frame of a user APC on a 32-bit stack, XP's.
 *
 *     000  NormalRoutine, NormalContext, SystemArgument1, SystemArgument2
 *     010  CONTEXT, what KiUserApcDispatcher gives to NtContinue
 *
 * NT: XP's context leaves floating point out, and the routine has to leave it
 * alone; here it is kept, both pictures of it.
 */
#include "wow64p.h"

#include <arch/descriptors.h>

#define APC_CONTEXT_FLAGS \
    (WOW64_CONTEXT_FULL | WOW64_CONTEXT_DEBUG_REGISTERS | \
     WOW64_CONTEXT_FLOATING_POINT | WOW64_CONTEXT_EXTENDED_REGISTERS)

#define ARGUMENTS 4

struct apc_frame {
    ULONG arguments[ARGUMENTS];                 /* 000 */
    WOW64_CONTEXT context;                      /* 010 */
};
_Static_assert(sizeof(struct apc_frame) == 0x2DC, "XP's");

void wow64_narrow_context(const CONTEXT *from, WOW64_CONTEXT *to)
{
    *to = (WOW64_CONTEXT){
        .ContextFlags = APC_CONTEXT_FLAGS,
        .Dr0 = (ULONG)from->Dr0,
        .Dr1 = (ULONG)from->Dr1,
        .Dr2 = (ULONG)from->Dr2,
        .Dr3 = (ULONG)from->Dr3,
        .Dr6 = (ULONG)from->Dr6,
        .Dr7 = (ULONG)from->Dr7,
        .SegFs = KGDT_R3_TEB | RPL_MASK,
        .SegEs = KGDT_R3_DATA | RPL_MASK,
        .SegDs = KGDT_R3_DATA | RPL_MASK,
        .Edi = (ULONG)from->Rdi,
        .Esi = (ULONG)from->Rsi,
        .Ebx = (ULONG)from->Rbx,
        .Edx = (ULONG)from->Rdx,
        .Ecx = (ULONG)from->Rcx,
        .Eax = (ULONG)from->Rax,
        .Ebp = (ULONG)from->Rbp,
        .Eip = (ULONG)from->Rip,
        .SegCs = from->SegCs,
        .EFlags = from->EFlags,
        .Esp = (ULONG)from->Rsp,
        .SegSs = from->SegSs,
    };
    wow64p_make_fnsave(&from->FltSave, &to->FloatSave);
    wow64p_make_fxsave(&from->FltSave, to->ExtendedRegisters);
}

NTSTATUS wow64_write_user_apc(const CONTEXT *state, const ULONG *arguments,
                              ULONG *esp)
{
    struct apc_frame frame;

    wow64_narrow_context(state, &frame.context);
    memcpy(frame.arguments, arguments, sizeof frame.arguments);
    *esp = (ULONG)ALIGN_DOWN((ULONG)state->Rsp - 8, sizeof(ULONG)) -
           (ULONG)sizeof frame;
    return mm_copy_to_mode(UserMode, (void *)(ULONG_PTR)*esp, &frame,
                           sizeof frame);
}
