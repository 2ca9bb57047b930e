/*
 * boot/efi/volume.c - files of the volume that the firmware has started us
 * from.
 */
#include "efiload.h"

static EFI_FILE_HANDLE root;

void open_volume(EFI_HANDLE image)
{
    EFI_LOADED_IMAGE *loaded;

    if (EFI_ERROR(BS->HandleProtocol(image, &LoadedImageProtocol,
                                     (void **)&loaded)))
        give_up(L"The firmware does not say where BOOTX64.EFI comes from.");
    root = LibOpenRoot(loaded->DeviceHandle);
    if (!root)
        give_up(L"BOOTX64.EFI was not started from a volume with files.");
}

struct efi_file read_file(const CHAR16 *path)
{
    struct efi_file result = { 0 };
    EFI_FILE_HANDLE file;
    EFI_FILE_INFO *info;
    EFI_STATUS status = root->Open(root, &file, (CHAR16 *)path,
                                   EFI_FILE_MODE_READ, 0);
    UINTN got = 0;

    if (status == EFI_NOT_FOUND)
        give_up(L"%s is missing on the volume.", path);
    if (EFI_ERROR(status))
        give_up(L"%s cannot be opened: %r.", path, status);
    info = LibFileInfo(file);
    if (!info || info->Attribute & EFI_FILE_DIRECTORY)
        give_up(L"%s is no file.", path);
    result.size = info->FileSize;
    FreePool(info);
    result.bytes = allocate_low(result.size);
    while (got < result.size) {
        UINTN part = result.size - got;

        status = file->Read(file, &part, result.bytes + got);
        if (EFI_ERROR(status) || !part)
            give_up(L"%s cannot be read: %r, after %lu of %lu bytes.", path,
                    status, (UINT64)got, (UINT64)result.size);
        got += part;
    }
    file->Close(file);
    return result;
}

void release_file(struct efi_file file)
{
    BS->FreePages((ULONG_PTR)file.bytes,
                  file.size ? EFI_SIZE_TO_PAGES(file.size) : 1);
}
