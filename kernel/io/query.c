/*
 * io/query.c - NtQueryInformationFile: how long a file is, and where it
 * stands.
 */
#include "iop.h"
#include <mm.h>
#include <nt/ntapi.h>

union iop_information {
    FILE_STANDARD_INFORMATION standard;
    FILE_POSITION_INFORMATION position;
};

/* Bytes the class needs; 0: not a class this kernel answers. */
static ULONG iop_information_size(ULONG class)
{
    switch (class) {
    case FileStandardInformation:
        return sizeof(FILE_STANDARD_INFORMATION);
    case FilePositionInformation:
        return sizeof(FILE_POSITION_INFORMATION);
    default:
        return 0;
    }
}

/* A directory has a size of 0, the console none at all. */
static NTSTATUS iop_query_standard(const struct iop_file *file,
                                   FILE_STANDARD_INFORMATION *information)
{
    if (file->kind == IOP_CONSOLE)
        return STATUS_INVALID_DEVICE_REQUEST;
    information->AllocationSize.QuadPart = ALIGN_UP(file->size, PAGE_SIZE);
    information->EndOfFile.QuadPart = file->size;
    information->NumberOfLinks = 1;
    information->Directory = file->kind == IOP_DIRECTORY;
    return STATUS_SUCCESS;
}

static NTSTATUS iop_query(const struct iop_file *file, ULONG class,
                          union iop_information *information)
{
    if (class == FileStandardInformation)
        return iop_query_standard(file, &information->standard);
    information->position.CurrentByteOffset.QuadPart = file->position;
    return STATUS_SUCCESS;
}

static NTSTATUS iop_return_information(IO_STATUS_BLOCK *user_block,
                                       void *user_buffer,
                                       const union iop_information *from,
                                       ULONG size)
{
    IO_STATUS_BLOCK block = { .Pointer = NULL, .Information = size };
    NTSTATUS status = mm_copy_to_user(user_buffer, from, size);

    if (NT_SUCCESS(status))
        status = mm_copy_to_user(user_block, &block, sizeof(block));
    return status;
}

NTSTATUS NtQueryInformationFile(HANDLE FileHandle,
                                IO_STATUS_BLOCK *IoStatusBlock,
                                void *FileInformation, ULONG Length,
                                ULONG FileInformationClass)
{
    ULONG size = iop_information_size(FileInformationClass);
    union iop_information information;
    struct iop_file *file;
    NTSTATUS status;

    if (size == 0)
        return STATUS_INVALID_INFO_CLASS;
    if (Length < size)
        return STATUS_INFO_LENGTH_MISMATCH;
    status = mm_probe_for_write(FileInformation, Length, sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_probe_for_write(IoStatusBlock, sizeof(*IoStatusBlock),
                                    sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = ObReferenceObjectByHandle(FileHandle, 0, IoFileObjectType,
                                           ExGetPreviousMode(),
                                           (void **)&file);
    if (!NT_SUCCESS(status))
        return status;

    memset(&information, 0, sizeof(information));
    status = iop_query(file, FileInformationClass, &information);
    ObDereferenceObject(file);
    if (!NT_SUCCESS(status))
        return status;
    return iop_return_information(IoStatusBlock, FileInformation, &information,
                                  size);
}
