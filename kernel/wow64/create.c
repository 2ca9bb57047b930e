/*
 * wow64/create.c - threads and processes made and opened by 32-bit code.
 *
 * CONTEXT, INITIAL_TEB and CLIENT_ID have other forms in 32 bits.  Those of
 * the call lie one behind the other in the translation area.
 */
#include "wow64p.h"

#include <arch/descriptors.h>
#include <nt/ntapi.h>

#define CONTEXT_PLACE (wow64p_thunk_area())
#define TEB_PLACE (wow64p_thunk_area() + 0x800)
#define ID_PLACE (wow64p_thunk_area() + 0x900)

/* What a new thread begins with: the registers that XP's callers fill. */
static CONTEXT widen_context(const WOW64_CONTEXT *from)
{
    return (CONTEXT){
        .ContextFlags = from->ContextFlags & WOW64_CONTEXT_i386
                            ? CONTEXT_FULL : 0,
        .MxCsr = 0x1F80,
        .SegCs = KGDT_R3_CODE | RPL_MASK,
        .SegSs = KGDT_R3_DATA | RPL_MASK,
        .EFlags = from->EFlags,
        .Rax = from->Eax,
        .Rcx = from->Ecx,
        .Rdx = from->Edx,
        .Rbx = from->Ebx,
        .Rsp = from->Esp,
        .Rbp = from->Ebp,
        .Rsi = from->Esi,
        .Rdi = from->Edi,
        .Rip = from->Eip,
        .FltSave = { .ControlWord = 0x27F, .MxCsr = 0x1F80 },
    };
}

static NTSTATUS place_context(ULONG pointer, ULONGLONG *translated)
{
    WOW64_CONTEXT from = { 0 };
    NTSTATUS status = mm_copy_from_user(&from, (void *)(ULONG_PTR)pointer,
                                        sizeof from);
    CONTEXT form = widen_context(&from);

    return wow64p_place(status, pointer, CONTEXT_PLACE, &form, sizeof form,
                        translated);
}

static NTSTATUS place_stack(ULONG pointer, ULONGLONG *translated)
{
    INITIAL_TEB32 from = { 0 };
    NTSTATUS status = mm_copy_from_user(&from, (void *)(ULONG_PTR)pointer,
                                        sizeof from);
    INITIAL_TEB form = {
        .StackBase = (void *)(ULONG_PTR)from.StackBase,
        .StackLimit = (void *)(ULONG_PTR)from.StackLimit,
        .StackAllocationBase = (void *)(ULONG_PTR)from.StackAllocationBase,
    };

    return wow64p_place(status, pointer, TEB_PLACE, &form, sizeof form,
                        translated);
}

/* in: its value counts; otherwise it only has to be writable. */
static NTSTATUS place_id(ULONG pointer, BOOLEAN in, ULONGLONG *translated)
{
    CLIENT_ID32 from = { 0 };
    CLIENT_ID form;
    NTSTATUS status;

    *translated = 0;
    if (!pointer)
        return STATUS_SUCCESS;
    if (in)
        status = mm_copy_from_user(&from, (void *)(ULONG_PTR)pointer,
                                   sizeof from);
    else
        status = mm_probe_for_write((void *)(ULONG_PTR)pointer, sizeof from,
                                    1);
    form.UniqueProcess = (HANDLE)(ULONG_PTR)from.UniqueProcess;
    form.UniqueThread = (HANDLE)(ULONG_PTR)from.UniqueThread;
    return wow64p_place(status, pointer, ID_PLACE, &form, sizeof form,
                        translated);
}

static void return_id(ULONG pointer, ULONGLONG translated)
{
    CLIENT_ID form;
    CLIENT_ID32 to;

    if (!pointer || !NT_SUCCESS(mm_copy_from_user(&form, (void *)translated,
                                                  sizeof form)))
        return;
    to.UniqueProcess = wow64p_narrow((ULONG_PTR)form.UniqueProcess);
    to.UniqueThread = wow64p_narrow((ULONG_PTR)form.UniqueThread);
    (void)mm_copy_to_user((void *)(ULONG_PTR)pointer, &to, sizeof to);
}

NTSTATUS wow64_NtCreateThread(HANDLE *handle, ACCESS_MASK access,
                              OBJECT_ATTRIBUTES *attributes, HANDLE process,
                              ULONG_PTR id, ULONG_PTR context,
                              ULONG_PTR stack, BOOLEAN suspended)
{
    ULONGLONG id_form, context_form, stack_form;
    NTSTATUS status = place_context((ULONG)context, &context_form);

    if (NT_SUCCESS(status))
        status = place_stack((ULONG)stack, &stack_form);
    if (NT_SUCCESS(status))
        status = place_id((ULONG)id, FALSE, &id_form);
    if (!NT_SUCCESS(status))
        return status;
    status = NtCreateThread(handle, access, attributes, process,
                            (CLIENT_ID *)id_form, (CONTEXT *)context_form,
                            (INITIAL_TEB *)stack_form, suspended);
    if (NT_SUCCESS(status))
        return_id((ULONG)id, id_form);
    return status;
}

NTSTATUS wow64_NtOpenProcess(HANDLE *handle, ACCESS_MASK access,
                             OBJECT_ATTRIBUTES *attributes, ULONG_PTR id)
{
    ULONGLONG id_form;
    NTSTATUS status = place_id((ULONG)id, TRUE, &id_form);

    return NT_SUCCESS(status) ? NtOpenProcess(handle, access, attributes,
                                              (CLIENT_ID *)id_form) : status;
}

NTSTATUS wow64_NtOpenThread(HANDLE *handle, ACCESS_MASK access,
                            OBJECT_ATTRIBUTES *attributes, ULONG_PTR id)
{
    ULONGLONG id_form;
    NTSTATUS status = place_id((ULONG)id, TRUE, &id_form);

    return NT_SUCCESS(status) ? NtOpenThread(handle, access, attributes,
                                             (CLIENT_ID *)id_form) : status;
}
