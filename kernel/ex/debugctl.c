/*
 * ex/debugctl.c - NtSystemDebugControl: a look into the kernel from ring 3.
 *
 * The tour uses it to show what it talks about: service table entries, the
 * gate of a vector, the registers that SYSCALL and SYSENTER load from.  Only
 * reading exists, of kernel memory and of the system-call MSRs, and only when
 * the machine was booted with debug=on, as Windows wants bcdedit /debug on for
 * it.  What is not there is a status, never a fault.  NT: also needs
 * SeDebugPrivilege, and reads more than a page and every MSR.
 */
#include <ex.h>
#include <init.h>
#include <mm.h>
#include <arch/processor.h>
#include <nt/ntapi.h>

#define EXP_DEBUG_TAG 0x67624453        /* "SDbg" */
#define EXP_LAST_COMMAND 37             /* SysDbgGetLiveKernelDump */

static NTSTATUS exp_copy_virtual(const SYSDBG_VIRTUAL *request)
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

/* *length: how many bytes the caller got. */
static NTSTATUS exp_read_virtual(const void *input, ULONG *length)
{
    SYSDBG_VIRTUAL request;
    NTSTATUS status = mm_copy_from_user(&request, input, sizeof(request));

    if (!NT_SUCCESS(status))
        return status;
    *length = request.Request;
    return exp_copy_virtual(&request);
}

static NTSTATUS exp_read_msr(SYSDBG_MSR *input, ULONG *length)
{
    SYSDBG_MSR request;
    NTSTATUS status = mm_copy_from_user(&request, input, sizeof(request));

    if (!NT_SUCCESS(status))
        return status;
    if (!ki_read_system_call_msr(request.Msr, &request.Data))
        return STATUS_NO_SUCH_DEVICE;
    *length = sizeof(request.Data);
    return mm_copy_to_user(&input->Data, &request.Data, sizeof(request.Data));
}

/* The size of a command's input; 0: there is no such command here. */
static ULONG exp_input_size(ULONG command)
{
    switch (command) {
    case SysDbgReadVirtual:
        return sizeof(SYSDBG_VIRTUAL);
    case SysDbgReadMsr:
        return sizeof(SYSDBG_MSR);
    default:
        return 0;
    }
}

BOOLEAN ex_is_debugged(void)
{
    return init_option_on("debug");
}

static NTSTATUS exp_check_command(ULONG command, ULONG length)
{
    if (!ex_is_debugged())
        return STATUS_DEBUGGER_INACTIVE;
    if (command > EXP_LAST_COMMAND)
        return STATUS_INVALID_INFO_CLASS;
    if (exp_input_size(command) == 0)
        return STATUS_NOT_IMPLEMENTED;
    return length == exp_input_size(command) ? STATUS_SUCCESS
                                             : STATUS_INFO_LENGTH_MISMATCH;
}

NTSTATUS NtSystemDebugControl(ULONG Command, void *InputBuffer,
                              ULONG InputBufferLength, void *OutputBuffer,
                              ULONG OutputBufferLength, ULONG *ReturnLength)
{
    ULONG length;
    NTSTATUS status = exp_check_command(Command, InputBufferLength);

    if (NT_SUCCESS(status))
        status = mm_probe_for_read(InputBuffer, InputBufferLength,
                                   sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_probe_for_write(OutputBuffer, OutputBufferLength, 1);
    if (NT_SUCCESS(status) && ReturnLength != NULL)
        status = mm_probe_for_write(ReturnLength, sizeof(*ReturnLength),
                                    sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = Command == SysDbgReadMsr
                     ? exp_read_msr(InputBuffer, &length)
                     : exp_read_virtual(InputBuffer, &length);
    if (NT_SUCCESS(status) && ReturnLength != NULL)
        status = mm_copy_to_user(ReturnLength, &length, sizeof(length));
    return status;
}
