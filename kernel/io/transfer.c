/*
 * io/transfer.c - NtReadFile and NtWriteFile.
 *
 * Nine arguments, so five of them come over the user stack: that is why the
 * tour likes these two.  Every transfer here is synchronous: when the service
 * returns it is over and the status block is written.  An Event is cleared
 * when the transfer begins and set when it has ended well.  An APC is refused.
 * NT: would queue it.
 */
#include "iop.h"
#include <ex.h>
#include <mm.h>
#include <nt/ntapi.h>

/* The arguments of a transfer, after everything in user memory was read. */
struct iop_transfer {
    struct iop_file *file;              /* referenced */
    LARGE_INTEGER offset;
    BOOLEAN explicit_offset;
    KEVENT *event;                      /* referenced, or NULL */
};

static NTSTATUS iop_begin(struct iop_transfer *transfer, HANDLE event,
                          PIO_APC_ROUTINE routine)
{
    void *object;
    NTSTATUS status;

    if (routine != NULL)
        return STATUS_INVALID_PARAMETER;
    if (event == NULL)
        return STATUS_SUCCESS;
    status = ObReferenceObjectByHandle(event, EVENT_MODIFY_STATE,
                                       ExEventObjectType,
                                       ExGetPreviousMode(), &object);
    if (!NT_SUCCESS(status))
        return status;
    transfer->event = object;
    KeClearEvent(transfer->event);
    return STATUS_SUCCESS;
}

/*
 * ByteOffset as NULL or FILE_USE_FILE_POINTER_POSITION: go on where the last
 * transfer ended.  A writer may also say FILE_WRITE_TO_END_OF_FILE.
 */
static BOOLEAN iop_is_explicit(const LARGE_INTEGER *offset, BOOLEAN writing)
{
    if (offset->HighPart != -1)
        return TRUE;
    return offset->LowPart != FILE_USE_FILE_POINTER_POSITION &&
           !(writing && offset->LowPart == FILE_WRITE_TO_END_OF_FILE);
}

static NTSTATUS iop_capture_offset(const LARGE_INTEGER *user, const ULONG *key,
                                   BOOLEAN writing,
                                   struct iop_transfer *transfer)
{
    LARGE_INTEGER *offset = &transfer->offset;
    NTSTATUS status = STATUS_SUCCESS;
    ULONG unused_key;

    transfer->explicit_offset = FALSE;
    if (key != NULL) {
        status = mm_probe_for_read(key, sizeof(*key), sizeof(*key));
        if (NT_SUCCESS(status))
            status = mm_copy_from_user(&unused_key, key, sizeof(*key));
    }
    if (!NT_SUCCESS(status) || user == NULL)
        return status;

    status = mm_probe_for_read(user, sizeof(*user), sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(offset, user, sizeof(*user));
    if (!NT_SUCCESS(status))
        return status;
    transfer->explicit_offset = iop_is_explicit(offset, writing);
    if (transfer->explicit_offset && offset->QuadPart < 0)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* Either right is enough; FILE_APPEND_DATA alone makes sense for writing. */
static NTSTATUS iop_reference_file(HANDLE handle, ACCESS_MASK access,
                                   ACCESS_MASK or_access,
                                   struct iop_file **file)
{
    KPROCESSOR_MODE mode = ExGetPreviousMode();
    NTSTATUS status = ObReferenceObjectByHandle(handle, access,
                                                IoFileObjectType, mode,
                                                (void **)file);

    if (status == STATUS_ACCESS_DENIED && or_access != access)
        status = ObReferenceObjectByHandle(handle, or_access,
                                           IoFileObjectType, mode,
                                           (void **)file);
    return status;
}

/*
 * The end of a transfer: *block tells what happened, unless the request was
 * refused before it began.  NT: the same; STATUS_END_OF_FILE is an answer,
 * and so is STATUS_CANCELLED, of a wait for keys that did not come.
 */
static NTSTATUS iop_complete(struct iop_transfer *transfer,
                             IO_STATUS_BLOCK *user_block, NTSTATUS result,
                             ULONG done)
{
    IO_STATUS_BLOCK block = { .Pointer = NULL, .Information = done };
    NTSTATUS status = STATUS_SUCCESS;

    block.Status = result;
    if (NT_SUCCESS(result) || result == STATUS_END_OF_FILE ||
        result == STATUS_CANCELLED)
        status = mm_copy_to_user(user_block, &block, sizeof(block));
    if (transfer->event != NULL) {
        if (NT_SUCCESS(result))
            KeSetEvent(transfer->event, IO_NO_INCREMENT, FALSE);
        ObDereferenceObject(transfer->event);
    }
    ObDereferenceObject(transfer->file);
    return NT_SUCCESS(status) ? result : status;
}

static NTSTATUS iop_read_bytes(struct iop_transfer *transfer, void *buffer,
                               ULONG length, ULONG *done)
{
    struct iop_file *file = transfer->file;
    ULONGLONG start = transfer->explicit_offset ? transfer->offset.QuadPart
                                                : file->position;
    NTSTATUS status;

    if (length == 0)
        return STATUS_SUCCESS;
    if (start >= file->size)
        return STATUS_END_OF_FILE;
    if (length > file->size - start)
        length = file->size - start;
    status = mm_copy_to_user(buffer, (const UCHAR *)file->bytes + start,
                             length);
    if (!NT_SUCCESS(status))
        return status;
    file->position = start + length;
    *done = length;
    return STATUS_SUCCESS;
}

/* Of two threads that read on, each gets bytes of its own. */
static NTSTATUS iop_read_boot_file(struct iop_transfer *transfer, void *buffer,
                                   ULONG length, ULONG *done)
{
    NTSTATUS status;

    ke_acquire_exclusive(&transfer->file->position_lock);
    status = iop_read_bytes(transfer, buffer, length, done);
    ke_release_exclusive(&transfer->file->position_lock);
    return status;
}

static NTSTATUS iop_read(struct iop_transfer *transfer, void *buffer,
                         ULONG length, ULONG *done)
{
    switch (transfer->file->kind) {
    case IOP_BOOT_FILE:
        return iop_read_boot_file(transfer, buffer, length, done);
    case IOP_CONSOLE:
        return iop_read_console(transfer->file, buffer, length, done);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* Only a kernel-mode caller comes as far as writing to a boot file. */
static NTSTATUS iop_write(struct iop_transfer *transfer, const void *buffer,
                          ULONG length, ULONG *done)
{
    switch (transfer->file->kind) {
    case IOP_BOOT_FILE:
        return STATUS_MEDIA_WRITE_PROTECTED;
    case IOP_CONSOLE:
        return iop_write_console(transfer->file, buffer, length, done);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

NTSTATUS NtReadFile(HANDLE FileHandle, HANDLE Event,
                    PIO_APC_ROUTINE ApcRoutine, void *ApcContext,
                    IO_STATUS_BLOCK *IoStatusBlock, void *Buffer, ULONG Length,
                    LARGE_INTEGER *ByteOffset, ULONG *Key)
{
    struct iop_transfer transfer = { .event = NULL };
    ULONG done = 0;
    NTSTATUS status = iop_reference_file(FileHandle, FILE_READ_DATA,
                                         FILE_READ_DATA, &transfer.file);

    (void)ApcContext;
    if (!NT_SUCCESS(status))
        return status;
    status = mm_probe_for_write(IoStatusBlock, sizeof(*IoStatusBlock),
                                sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_probe_for_write(Buffer, Length, 1);
    if (NT_SUCCESS(status))
        status = iop_capture_offset(ByteOffset, Key, FALSE, &transfer);
    if (NT_SUCCESS(status))
        status = iop_begin(&transfer, Event, ApcRoutine);
    if (NT_SUCCESS(status))
        status = iop_read(&transfer, Buffer, Length, &done);
    return iop_complete(&transfer, IoStatusBlock, status, done);
}

NTSTATUS NtWriteFile(HANDLE FileHandle, HANDLE Event,
                     PIO_APC_ROUTINE ApcRoutine, void *ApcContext,
                     IO_STATUS_BLOCK *IoStatusBlock, const void *Buffer,
                     ULONG Length, LARGE_INTEGER *ByteOffset, ULONG *Key)
{
    struct iop_transfer transfer = { .event = NULL };
    ULONG done = 0;
    NTSTATUS status = iop_reference_file(FileHandle, FILE_WRITE_DATA,
                                         FILE_APPEND_DATA, &transfer.file);

    (void)ApcContext;
    if (!NT_SUCCESS(status))
        return status;
    status = mm_probe_for_write(IoStatusBlock, sizeof(*IoStatusBlock),
                                sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_probe_for_read(Buffer, Length, 1);
    if (NT_SUCCESS(status))
        status = iop_capture_offset(ByteOffset, Key, TRUE, &transfer);
    if (NT_SUCCESS(status))
        status = iop_begin(&transfer, Event, ApcRoutine);
    if (NT_SUCCESS(status))
        status = iop_write(&transfer, Buffer, Length, &done);
    return iop_complete(&transfer, IoStatusBlock, status, done);
}
