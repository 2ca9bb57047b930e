/*
 * mm/readwrite.c - NtReadVirtualMemory and NtWriteVirtualMemory.
 *
 * Bytes go from one address space into a buffer of the kernel's, and from
 * there into the other, a piece at a time; each side is attached to for its
 * half.  Nothing is locked meanwhile: either side's pages may change under
 * the copy, and its faults are Mm's as any others.  The other process's memory
 * stays as long as a copy uses it: its last thread waits (RundownProtect).
 *
 * What cannot be read ends the copy; what came before has arrived, and the
 * status is STATUS_PARTIAL_COPY.  What is to be written must all be writable
 * when the first piece has been read, or nothing is.
 */
#include "vad.h"

#include <nt/ntapi.h>

#define PIECE 0x4000ULL
#define PIECE_TAG 0x77526D4D            /* "MmRw" */

/* mode: KernelMode for a buffer of a Zw caller. */
struct side {
    EPROCESS *process;
    KPROCESSOR_MODE mode;
    ULONG_PTR address;
};

typedef NTSTATUS copy_routine(KPROCESSOR_MODE mode, UCHAR *buffer,
                              ULONG_PTR address, SIZE_T size);

static NTSTATUS copy_in(KPROCESSOR_MODE mode, UCHAR *buffer,
                        ULONG_PTR address, SIZE_T size)
{
    return mm_copy_from_mode(mode, buffer, (void *)address, size);
}

static NTSTATUS copy_out(KPROCESSOR_MODE mode, UCHAR *buffer,
                         ULONG_PTR address, SIZE_T size)
{
    return mm_copy_to_mode(mode, (void *)address, buffer, size);
}

/* Page by page, so that it is known how far it went: *done. */
static void copy_pages(const struct side *side, SIZE_T offset, UCHAR *buffer,
                       SIZE_T size, copy_routine *copy, SIZE_T *done)
{
    ULONG_PTR from = side->address + offset;
    KAPC_STATE state;

    *done = 0;
    KeStackAttachProcess(&side->process->Pcb, &state);
    while (*done < size) {
        SIZE_T part = PAGE_SIZE - (from + *done) % PAGE_SIZE;

        if (part > size - *done)
            part = size - *done;
        if (!NT_SUCCESS(copy(side->mode, buffer + *done, from + *done, part)))
            break;
        *done += part;
    }
    KeUnstackDetachProcess(&state);
}

static NTSTATUS probe(const struct side *to, SIZE_T size)
{
    KAPC_STATE state;
    NTSTATUS status;

    if (to->mode == KernelMode)
        return STATUS_SUCCESS;
    KeStackAttachProcess(&to->process->Pcb, &state);
    status = mm_probe_for_write((void *)to->address, size, 1);
    KeUnstackDetachProcess(&state);
    return status;
}

static NTSTATUS copy_pieces(const struct side *from, const struct side *to,
                            SIZE_T size, UCHAR *buffer, SIZE_T *copied)
{
    while (*copied < size) {
        SIZE_T part = size - *copied < PIECE ? size - *copied : PIECE;
        SIZE_T in, out;
        NTSTATUS status = STATUS_SUCCESS;

        copy_pages(from, *copied, buffer, part, copy_in, &in);
        if (*copied == 0 && in != 0)
            status = probe(to, size);
        if (!NT_SUCCESS(status))
            return status;
        copy_pages(to, *copied, buffer, in, copy_out, &out);
        *copied += out;
        if (out != part)
            return STATUS_PARTIAL_COPY;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS copy(const struct side *from, const struct side *to,
                     SIZE_T size, SIZE_T *copied)
{
    UCHAR *buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                    size < PIECE ? size : PIECE, PIECE_TAG);
    NTSTATUS status;

    if (!buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = copy_pieces(from, to, size, buffer, copied);
    ExFreePoolWithTag(buffer, PIECE_TAG);
    return status;
}

/* With the other process's memory there until the end. */
static NTSTATUS copy_protected(EPROCESS *other, const struct side *from,
                               const struct side *to, SIZE_T size,
                               SIZE_T *copied)
{
    NTSTATUS status = STATUS_PROCESS_IS_TERMINATING;

    if (other == PsGetCurrentProcess())
        return copy(from, to, size, copied);
    KeEnterCriticalRegion();
    if (ExAcquireRundownProtection(&other->RundownProtect)) {
        status = copy(from, to, size, copied);
        ExReleaseRundownProtection(&other->RundownProtect);
    }
    KeLeaveCriticalRegion();
    return status;
}

static NTSTATUS transfer(HANDLE handle, ACCESS_MASK access, ULONG_PTR address,
                         ULONG_PTR buffer, SIZE_T size, SIZE_T *copied)
{
    struct side own = { PsGetCurrentProcess(), ExGetPreviousMode(), buffer };
    struct side other = { NULL, UserMode, address };
    NTSTATUS status = mi_reference_process(handle, access, &other.process);

    if (!NT_SUCCESS(status))
        return status;
    status = access == PROCESS_VM_READ
                 ? copy_protected(other.process, &other, &own, size, copied)
                 : copy_protected(other.process, &own, &other, size, copied);
    ObDereferenceObject(other.process);
    return status;
}

static BOOLEAN in_user_space(ULONG_PTR address, SIZE_T size)
{
    return address + size >= address &&
           address + size <= MM_HIGHEST_USER_ADDRESS;
}

static NTSTATUS check(ULONG_PTR address, ULONG_PTR buffer, SIZE_T size,
                      SIZE_T *user_copied)
{
    if (ExGetPreviousMode() == KernelMode)
        return STATUS_SUCCESS;
    if (!in_user_space(address, size) || !in_user_space(buffer, size))
        return STATUS_ACCESS_VIOLATION;
    return user_copied ? mm_probe_for_write(user_copied, sizeof *user_copied,
                                            1)
                       : STATUS_SUCCESS;
}

/* Nothing to copy: not even the handle is looked at. */
static NTSTATUS read_write(HANDLE handle, ACCESS_MASK access, void *address,
                           void *buffer, SIZE_T size, SIZE_T *user_copied)
{
    SIZE_T copied = 0;
    NTSTATUS status = check((ULONG_PTR)address, (ULONG_PTR)buffer, size,
                            user_copied);

    if (!NT_SUCCESS(status))
        return status;
    if (size != 0)
        status = transfer(handle, access, (ULONG_PTR)address,
                          (ULONG_PTR)buffer, size, &copied);
    if (user_copied)
        (void)mm_copy_to_user(user_copied, &copied, sizeof copied);
    return status;
}

/*
 * STATUS_PARTIAL_COPY; STATUS_ACCESS_VIOLATION: a range outside user space,
 * or the copy's target cannot be written; STATUS_PROCESS_IS_TERMINATING.
 */
NTSTATUS NtReadVirtualMemory(HANDLE ProcessHandle, void *BaseAddress,
                             void *Buffer, SIZE_T NumberOfBytesToRead,
                             SIZE_T *NumberOfBytesRead)
{
    return read_write(ProcessHandle, PROCESS_VM_READ, BaseAddress, Buffer,
                      NumberOfBytesToRead, NumberOfBytesRead);
}

NTSTATUS NtWriteVirtualMemory(HANDLE ProcessHandle, void *BaseAddress,
                              const void *Buffer, SIZE_T NumberOfBytesToWrite,
                              SIZE_T *NumberOfBytesWritten)
{
    return read_write(ProcessHandle, PROCESS_VM_WRITE, BaseAddress,
                      (void *)(ULONG_PTR)Buffer, NumberOfBytesToWrite,
                      NumberOfBytesWritten);
}
