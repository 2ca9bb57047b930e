/*
 * wow64/exception.c - the frame of an exception on a 32-bit stack, XP's, and
 * NtRaiseException for 32-bit code.
 *
 *     000  EXCEPTION_RECORD *, CONTEXT *
 *     008  EXCEPTION_RECORD, as long as its parameters make it
 *     ...  CONTEXT, whose end is the interrupted esp
 *
 * NT: XP's context has no floating point unless the exception is one; here it
 * always has, both pictures of it.
 */
#include "wow64p.h"

#include <arch/thread.h>

#define RECORD_HEADER \
    ((ULONG)offsetof(EXCEPTION_RECORD32, ExceptionInformation))

static ULONG record_size(ULONG parameters)
{
    return RECORD_HEADER + parameters * (ULONG)sizeof(ULONG);
}

static void narrow_record(const EXCEPTION_RECORD *from, EXCEPTION_RECORD32 *to)
{
    *to = (EXCEPTION_RECORD32){
        .ExceptionCode = from->ExceptionCode,
        .ExceptionFlags = from->ExceptionFlags,
        .ExceptionRecord = (ULONG)(ULONG_PTR)from->ExceptionRecord,
        .ExceptionAddress = (ULONG)(ULONG_PTR)from->ExceptionAddress,
        .NumberParameters = from->NumberParameters,
    };
    for (ULONG i = 0; i < from->NumberParameters; i++)
        to->ExceptionInformation[i] = (ULONG)from->ExceptionInformation[i];
}

static void widen_record(const EXCEPTION_RECORD32 *from, EXCEPTION_RECORD *to)
{
    *to = (EXCEPTION_RECORD){
        .ExceptionCode = from->ExceptionCode,
        .ExceptionFlags = from->ExceptionFlags,
        .ExceptionRecord =
            (EXCEPTION_RECORD *)(ULONG_PTR)from->ExceptionRecord,
        .ExceptionAddress = (void *)(ULONG_PTR)from->ExceptionAddress,
        .NumberParameters = from->NumberParameters,
    };
    for (ULONG i = 0; i < from->NumberParameters; i++)
        to->ExceptionInformation[i] = from->ExceptionInformation[i];
}

static NTSTATUS write(ULONG to, const void *from, ULONG size)
{
    return mm_copy_to_mode(UserMode, (void *)(ULONG_PTR)to, from, size);
}

NTSTATUS wow64_write_user_exception(const CONTEXT *state,
                                    const EXCEPTION_RECORD *record,
                                    ULONG *esp)
{
    EXCEPTION_RECORD32 narrow;
    WOW64_CONTEXT context;
    ULONG pointers[2];
    NTSTATUS status;

    narrow_record(record, &narrow);
    wow64_narrow_context(state, &context);
    pointers[1] = (ULONG)ALIGN_DOWN((ULONG)state->Rsp, sizeof(ULONG)) -
                  (ULONG)sizeof context;
    pointers[0] = pointers[1] - record_size(record->NumberParameters);
    *esp = pointers[0] - (ULONG)sizeof pointers;
    status = write(pointers[1], &context, sizeof context);
    if (NT_SUCCESS(status))
        status = write(pointers[0], &narrow,
                       record_size(record->NumberParameters));
    if (NT_SUCCESS(status))
        status = write(*esp, pointers, sizeof pointers);
    return status;
}

static NTSTATUS capture_record(const EXCEPTION_RECORD32 *user,
                               EXCEPTION_RECORD *record)
{
    EXCEPTION_RECORD32 narrow;
    NTSTATUS status = mm_probe_for_read(user, RECORD_HEADER, sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&narrow, user, RECORD_HEADER);
    if (!NT_SUCCESS(status))
        return status;
    if (narrow.NumberParameters > EXCEPTION_MAXIMUM_PARAMETERS)
        return STATUS_INVALID_PARAMETER;
    status = mm_copy_from_user(narrow.ExceptionInformation,
                               user->ExceptionInformation,
                               narrow.NumberParameters * sizeof(ULONG));
    if (NT_SUCCESS(status))
        widen_record(&narrow, record);
    return status;
}

/* wow64_NtRaiseException in C, as KiRaiseException is NtRaiseException. */
NTSTATUS wow64_raise_exception(const EXCEPTION_RECORD32 *user_record,
                               const WOW64_CONTEXT *user_context,
                               BOOLEAN first_chance)
{
    WOW64_CONTEXT context;
    EXCEPTION_RECORD record;
    NTSTATUS status = wow64p_capture_context(user_context, &context);

    if (NT_SUCCESS(status))
        status = capture_record(user_record, &record);
    if (!NT_SUCCESS(status))
        return status;
    KfRaiseIrql(APC_LEVEL);
    wow64p_load_context(&context);
    ki_raise_in_frame(&record, first_chance);
    KfLowerIrql(PASSIVE_LEVEL);
    return STATUS_SUCCESS;
}
