/*
 * wow64/threadcontext.c - NtGetContextThread and NtSetContextThread for
 * 32-bit code.
 *
 * The service works on a CONTEXT in the translation area.  Both pictures
 * divide the registers differently (Ebp is a part of control in 32 bits, of
 * the integers in 64), so all are read, those that XP's flags name change, and
 * all are written.
 */
#include "wow64p.h"

#include <arch/descriptors.h>
#include <nt/ntapi.h>

#define AREA ((CONTEXT *)ALIGN_UP(wow64p_thunk_area(), 16))
#define HAS(context, part) CONTEXT_HAS(context, WOW64_CONTEXT_##part)

/* What of the 64-bit picture the 32-bit one needs. */
static ULONG flags_of(const WOW64_CONTEXT *context)
{
    ULONG flags = CONTEXT_CONTROL | CONTEXT_INTEGER;

    if (HAS(context, FLOATING_POINT) || HAS(context, EXTENDED_REGISTERS))
        flags |= CONTEXT_FLOATING_POINT;
    if (HAS(context, DEBUG_REGISTERS))
        flags |= CONTEXT_DEBUG_REGISTERS;
    return flags;
}

static NTSTATUS read(HANDLE thread, const WOW64_CONTEXT *wanted,
                     CONTEXT *context)
{
    ULONG flags = flags_of(wanted);
    NTSTATUS status = mm_copy_to_user(&AREA->ContextFlags, &flags,
                                      sizeof flags);

    if (NT_SUCCESS(status))
        status = NtGetContextThread(thread, AREA);
    return NT_SUCCESS(status) ? mm_copy_from_user(context, AREA,
                                                  sizeof *context) : status;
}

static NTSTATUS capture(const WOW64_CONTEXT *user, WOW64_CONTEXT *context)
{
    NTSTATUS status = mm_copy_from_user(context, user, sizeof *context);

    if (NT_SUCCESS(status) && !(context->ContextFlags & WOW64_CONTEXT_i386))
        status = STATUS_INVALID_PARAMETER;
    return status;
}

static void take_parts(WOW64_CONTEXT *to, const WOW64_CONTEXT *from)
{
    if (HAS(to, DEBUG_REGISTERS))
        memcpy(&to->Dr0, &from->Dr0,
               offsetof(WOW64_CONTEXT, FloatSave) -
                   offsetof(WOW64_CONTEXT, Dr0));
    if (HAS(to, FLOATING_POINT))
        to->FloatSave = from->FloatSave;
    if (HAS(to, SEGMENTS))
        memcpy(&to->SegGs, &from->SegGs,
               offsetof(WOW64_CONTEXT, Edi) - offsetof(WOW64_CONTEXT, SegGs));
    if (HAS(to, INTEGER))
        memcpy(&to->Edi, &from->Edi,
               offsetof(WOW64_CONTEXT, Ebp) - offsetof(WOW64_CONTEXT, Edi));
    if (HAS(to, CONTROL))
        memcpy(&to->Ebp, &from->Ebp,
               offsetof(WOW64_CONTEXT, ExtendedRegisters) -
                   offsetof(WOW64_CONTEXT, Ebp));
    if (HAS(to, EXTENDED_REGISTERS))
        memcpy(to->ExtendedRegisters, from->ExtendedRegisters,
               sizeof to->ExtendedRegisters);
}

NTSTATUS wow64_NtGetContextThread(HANDLE thread, WOW64_CONTEXT *user)
{
    WOW64_CONTEXT context, all;
    CONTEXT from;
    NTSTATUS status = mm_probe_for_write(user, sizeof context, sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = capture(user, &context);
    if (NT_SUCCESS(status))
        status = read(thread, &context, &from);
    if (!NT_SUCCESS(status))
        return status;
    wow64_narrow_context(&from, &all);
    take_parts(&context, &all);
    return mm_copy_to_user(user, &context, sizeof context);
}

static void change(const WOW64_CONTEXT *from, CONTEXT *to)
{
    if (HAS(from, CONTROL)) {
        to->Rip = from->Eip;
        to->Rsp = from->Esp;
        to->Rbp = from->Ebp;
        to->EFlags = from->EFlags;
    }
    if (HAS(from, INTEGER)) {
        to->Rax = from->Eax;
        to->Rcx = from->Ecx;
        to->Rdx = from->Edx;
        to->Rbx = from->Ebx;
        to->Rsi = from->Esi;
        to->Rdi = from->Edi;
    }
    if (HAS(from, DEBUG_REGISTERS)) {
        to->Dr0 = from->Dr0;
        to->Dr1 = from->Dr1;
        to->Dr2 = from->Dr2;
        to->Dr3 = from->Dr3;
        to->Dr6 = from->Dr6;
        to->Dr7 = from->Dr7;
    }
    if (HAS(from, EXTENDED_REGISTERS))
        wow64p_convert_fxsave(from->ExtendedRegisters, &to->FltSave);
    else if (HAS(from, FLOATING_POINT))
        wow64p_convert_fnsave(&from->FloatSave, &to->FltSave);
    to->MxCsr = to->FltSave.MxCsr;
    to->SegCs = KGDT_R3_CODE | RPL_MASK;
}

NTSTATUS wow64_NtSetContextThread(HANDLE thread, const WOW64_CONTEXT *user)
{
    WOW64_CONTEXT context;
    CONTEXT to;
    NTSTATUS status = mm_probe_for_read(user, sizeof context, sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = capture(user, &context);
    if (NT_SUCCESS(status))
        status = read(thread, &context, &to);
    if (!NT_SUCCESS(status))
        return status;
    change(&context, &to);
    status = mm_copy_to_user(AREA, &to, sizeof to);
    return NT_SUCCESS(status) ? NtSetContextThread(thread, AREA) : status;
}
