/*
 * ex/debugctl.c - NtSystemDebugControl: a look into the kernel from ring 3.
 *
 * The tour uses it to show what it talks about: service table entries, the
 * trap frame, the bytes of a routine.  Only reading of kernel memory exists,
 * and only when the machine was booted with debug=on, as Windows wants
 * bcdedit /debug on for it.  An address that is not mapped is a status, never
 * a fault.  NT: also needs SeDebugPrivilege, and reads more than a page.
 */
#include <init.h>
#include <mm.h>
#include <nt/ntapi.h>

#define EXP_DEBUG_TAG 0x67624453        /* "SDbg" */
#define EXP_LAST_COMMAND 37             /* SysDbgGetLiveKernelDump */

static NTSTATUS exp_read_virtual(const SYSDBG_VIRTUAL *request)
{
    void *copy;
    NTSTATUS status;

    if (request->Request > PAGE_SIZE)
        return STATUS_INVALID_PARAMETER;
    status = mm_probe_for_write(request->Buffer, request->Request, 1);
    if (!NT_SUCCESS(status) || request->Request == 0)
        return status;
    copy = ExAllocatePool2(POOL_FLAG_NON_PAGED, request->Request,
                           EXP_DEBUG_TAG);
    if (copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = mm_copy_kernel(copy, request->Address, request->Request);
    if (NT_SUCCESS(status))
        status = mm_copy_to_user(request->Buffer, copy, request->Request);
    ExFreePoolWithTag(copy, EXP_DEBUG_TAG);
    return status;
}

static NTSTATUS exp_check_command(ULONG command, ULONG length)
{
    if (!init_option_on("debug"))
        return STATUS_DEBUGGER_INACTIVE;
    if (command > EXP_LAST_COMMAND)
        return STATUS_INVALID_INFO_CLASS;
    if (command != SysDbgReadVirtual)
        return STATUS_NOT_IMPLEMENTED;
    return length == sizeof(SYSDBG_VIRTUAL) ? STATUS_SUCCESS
                                            : STATUS_INFO_LENGTH_MISMATCH;
}

NTSTATUS NtSystemDebugControl(ULONG Command, void *InputBuffer,
                              ULONG InputBufferLength, void *OutputBuffer,
                              ULONG OutputBufferLength, ULONG *ReturnLength)
{
    SYSDBG_VIRTUAL request;
    NTSTATUS status = exp_check_command(Command, InputBufferLength);

    if (NT_SUCCESS(status))
        status = mm_probe_for_read(InputBuffer, sizeof(request),
                                   sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_probe_for_write(OutputBuffer, OutputBufferLength, 1);
    if (NT_SUCCESS(status) && ReturnLength != NULL)
        status = mm_probe_for_write(ReturnLength, sizeof(*ReturnLength),
                                    sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&request, InputBuffer, sizeof(request));
    if (NT_SUCCESS(status))
        status = exp_read_virtual(&request);
    if (NT_SUCCESS(status) && ReturnLength != NULL)
        status = mm_copy_to_user(ReturnLength, &request.Request,
                                 sizeof(request.Request));
    return status;
}
