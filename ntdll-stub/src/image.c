/*
 * image.c - reading mapped PE images, and moving them.
 */
#include "image.h"

#define READABLE (IMAGE_SCN_MEM_READ | IMAGE_SCN_MEM_WRITE | \
                  IMAGE_SCN_MEM_EXECUTE)

NTSTATUS NTAPI RtlImageNtHeaderEx(ULONG Flags, void *Base, ULONGLONG Size,
                                  IMAGE_NT_HEADERS **Headers)
{
    BOOLEAN checked = !(Flags & RTL_IMAGE_NT_HEADER_EX_FLAG_NO_RANGE_CHECK);
    IMAGE_DOS_HEADER *dos = Base;
    IMAGE_NT_HEADERS *headers;
    ULONGLONG end;

    *Headers = NULL;
    if (!Base || Base == NtCurrentProcess())
        return STATUS_INVALID_PARAMETER;
    if (checked && Size < sizeof *dos)
        return STATUS_INVALID_IMAGE_FORMAT;
    if (dos->e_magic != IMAGE_DOS_SIGNATURE)
        return STATUS_INVALID_IMAGE_FORMAT;
    end = (ULONGLONG)(ULONG)dos->e_lfanew + sizeof *headers;
    if ((ULONG)dos->e_lfanew >= 0x10000000 || (checked && end > Size))
        return STATUS_INVALID_IMAGE_FORMAT;
    headers = (void *)((UCHAR *)Base + dos->e_lfanew);
    if (headers->Signature != IMAGE_NT_SIGNATURE)
        return STATUS_INVALID_IMAGE_FORMAT;
    *Headers = headers;
    return STATUS_SUCCESS;
}

IMAGE_NT_HEADERS *NTAPI RtlImageNtHeader(void *Base)
{
    IMAGE_NT_HEADERS *headers;

    RtlImageNtHeaderEx(RTL_IMAGE_NT_HEADER_EX_FLAG_NO_RANGE_CHECK, Base, 0,
                       &headers);
    return headers;
}

IMAGE_SECTION_HEADER *NTAPI RtlImageRvaToSection(
    const IMAGE_NT_HEADERS *Headers, void *Base, ULONG Rva)
{
    IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(Headers);
    ULONG left = Headers->FileHeader.NumberOfSections;

    (void)Base;
    for (; left; left--, section++)
        if (Rva >= section->VirtualAddress &&
            Rva - section->VirtualAddress < section->SizeOfRawData)
            return section;
    return NULL;
}

/* An odd Base asks for the flat file, as a data file mapping has. */
void *NTAPI RtlImageDirectoryEntryToData(void *Base, BOOLEAN MappedAsImage,
                                         USHORT Entry, ULONG *Size)
{
    UCHAR *base = (void *)((ULONG_PTR)Base & ~(ULONG_PTR)3);
    IMAGE_NT_HEADERS *headers = RtlImageNtHeader(base);
    IMAGE_SECTION_HEADER *section;
    IMAGE_DATA_DIRECTORY *directory;

    *Size = 0;
    if (!headers ||
        headers->OptionalHeader.Magic != IMAGE_NT_OPTIONAL_HDR_MAGIC ||
        Entry >= IMAGE_NUMBEROF_DIRECTORY_ENTRIES ||
        Entry >= headers->OptionalHeader.NumberOfRvaAndSizes)
        return NULL;
    directory = &headers->OptionalHeader.DataDirectory[Entry];
    if (!directory->VirtualAddress)
        return NULL;
    *Size = directory->Size;
    if ((MappedAsImage && !((ULONG_PTR)Base & 1)) ||
        directory->VirtualAddress < headers->OptionalHeader.SizeOfHeaders)
        return base + directory->VirtualAddress;
    section = RtlImageRvaToSection(headers, base, directory->VirtualAddress);
    if (!section)
        return NULL;
    return base + section->PointerToRawData +
           (directory->VirtualAddress - section->VirtualAddress);
}

NTSTATUS image_open(void *base, struct image *image)
{
    IMAGE_NT_HEADERS *headers = RtlImageNtHeader(base);
    ULONGLONG table_end;

    if (!headers)
        return STATUS_INVALID_IMAGE_FORMAT;
    if (headers->OptionalHeader.Magic != IMAGE_NT_OPTIONAL_HDR_MAGIC)
        return STATUS_INVALID_IMAGE_FORMAT;
    image->base = base;
    image->headers = headers;
    image->size = headers->OptionalHeader.SizeOfImage;
    table_end = (UCHAR *)IMAGE_FIRST_SECTION(headers) - image->base +
                (ULONGLONG)headers->FileHeader.NumberOfSections *
                    sizeof(IMAGE_SECTION_HEADER);
    if (headers->OptionalHeader.SizeOfHeaders > image->size ||
        table_end > headers->OptionalHeader.SizeOfHeaders)
        return STATUS_INVALID_IMAGE_FORMAT;
    return STATUS_SUCCESS;
}

/* Bytes from rva to the end of the headers or section it is in; 0: none. */
static ULONGLONG room_at(const struct image *image, ULONG rva)
{
    const IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(image->headers);
    ULONG left = image->headers->FileHeader.NumberOfSections;

    if (rva < image->headers->OptionalHeader.SizeOfHeaders)
        return image->headers->OptionalHeader.SizeOfHeaders - rva;
    for (; left; left--, section++) {
        ULONG size = section->Misc.VirtualSize ? section->Misc.VirtualSize
                                               : section->SizeOfRawData;
        ULONGLONG end = section->VirtualAddress + ALIGN_UP(size, PAGE_SIZE);

        if (end > image->size)
            end = image->size;
        if (rva >= section->VirtualAddress && rva < end)
            return section->Characteristics & READABLE ? end - rva : 0;
    }
    return 0;
}

void *image_at(const struct image *image, ULONG rva, ULONGLONG size)
{
    return size <= room_at(image, rva) ? image->base + rva : NULL;
}

void *image_at_address(const struct image *image, ULONG_PTR address,
                       ULONGLONG size)
{
    ULONG_PTR rva = address - (ULONG_PTR)image->base;

    return rva < image->size ? image_at(image, rva, size) : NULL;
}

const char *image_text(const struct image *image, ULONG rva)
{
    ULONGLONG room = room_at(image, rva);
    const char *text = (const char *)image->base + rva;

    return room && memchr(text, 0, room) ? text : NULL;
}

void *image_directory(const struct image *image, ULONG index, ULONG size,
                      IMAGE_DATA_DIRECTORY *found)
{
    const IMAGE_OPTIONAL_HEADER *optional = &image->headers->OptionalHeader;

    found->VirtualAddress = found->Size = 0;
    if (index < optional->NumberOfRvaAndSizes)
        *found = optional->DataDirectory[index];
    if (!found->VirtualAddress)
        return NULL;
    return image_at(image, found->VirtualAddress, size);
}

NTSTATUS image_window_open(struct image_window *window, void *at, SIZE_T size)
{
    window->base = at;
    window->size = size;
    return NtProtectVirtualMemory(NtCurrentProcess(), &window->base,
                                  &window->size, PAGE_READWRITE,
                                  &window->protect);
}

void image_window_close(struct image_window *window)
{
    ULONG before;

    NtProtectVirtualMemory(NtCurrentProcess(), &window->base, &window->size,
                           window->protect, &before);
}

/* One block of relocations: all in the page that its header names. */
static NTSTATUS relocate_page(const struct image *image,
                              const IMAGE_BASE_RELOCATION *block,
                              ULONG_PTR delta)
{
    const USHORT *entry = (const USHORT *)(block + 1);
    ULONG left = (block->SizeOfBlock - sizeof *block) / sizeof *entry;

    for (; left; left--, entry++) {
        ULONG rva = block->VirtualAddress + (*entry & 0xFFF);
        struct image_window window;
        ULONG_PTR *target;
        NTSTATUS status;

        if (*entry >> 12 == IMAGE_REL_BASED_ABSOLUTE)
            continue;
        target = image_at(image, rva, sizeof *target);
        if (*entry >> 12 != ADDRESS_RELOCATION || !target)
            return STATUS_INVALID_IMAGE_FORMAT;
        status = image_window_open(&window, target, sizeof *target);
        if (!NT_SUCCESS(status))
            return status;
        *target += delta;
        image_window_close(&window);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS relocate_all(const struct image *image, ULONG_PTR delta)
{
    IMAGE_DATA_DIRECTORY directory;
    ULONG at = 0;

    image_directory(image, IMAGE_DIRECTORY_ENTRY_BASERELOC, 0, &directory);
    if (image->headers->FileHeader.Characteristics &
        IMAGE_FILE_RELOCS_STRIPPED)
        return STATUS_CONFLICTING_ADDRESSES;
    while (directory.Size - at >= sizeof(IMAGE_BASE_RELOCATION)) {
        const IMAGE_BASE_RELOCATION *block =
            image_at(image, directory.VirtualAddress + at, sizeof *block);
        NTSTATUS status;

        if (!block || block->SizeOfBlock < sizeof *block ||
            block->SizeOfBlock > directory.Size - at ||
            !image_at(image, directory.VirtualAddress + at,
                      block->SizeOfBlock))
            return STATUS_INVALID_IMAGE_FORMAT;
        status = relocate_page(image, block, delta);
        if (!NT_SUCCESS(status))
            return status;
        at += block->SizeOfBlock;
    }
    return STATUS_SUCCESS;
}

/* NT: the kernel relocates while it maps (since Vista); this is what is left
 * when the header still names another base. */
NTSTATUS image_relocate(const struct image *image)
{
    ULONG_PTR *header_base = &image->headers->OptionalHeader.ImageBase;
    ULONG_PTR delta = (ULONG_PTR)image->base - *header_base;
    struct image_window window;
    NTSTATUS status;

    if (!delta)
        return STATUS_SUCCESS;
    status = relocate_all(image, delta);
    if (!NT_SUCCESS(status))
        return status;
    status = image_window_open(&window, header_base, sizeof *header_base);
    if (!NT_SUCCESS(status))
        return status;
    *header_base = (ULONG_PTR)image->base;
    image_window_close(&window);
    return STATUS_SUCCESS;
}
