/*
 * boot/efi/memory.c - memory from the firmware, and at the end all of it.
 */
#include "efiload.h"

#include <memmap.h>

#define LOW_END 0xFFFFFFFFULL
#define MAP_SLACK 8                     /* descriptors that come meanwhile */
#define TRIES 4

static void *allocate_pages(EFI_ALLOCATE_TYPE type, EFI_PHYSICAL_ADDRESS at,
                            UINTN size)
{
    UINTN pages = size ? EFI_SIZE_TO_PAGES(size) : 1;

    if (EFI_ERROR(BS->AllocatePages(type, EfiLoaderData, pages, &at)))
        give_up(L"There is no memory for %lu KiB.", (UINT64)pages * 4);
    SetMem((void *)at, pages * EFI_PAGE_SIZE, 0);
    return (void *)at;
}

void *allocate_low(UINTN size)
{
    return allocate_pages(AllocateMaxAddress, LOW_END, size);
}

void *allocate(UINTN size)
{
    return allocate_pages(AllocateAnyPages, 0, size);
}

/* What the firmware and this loader run on is free when they have ended. */
static enum loader_memory_type type_of(UINT32 type)
{
    switch (type) {
    case EfiConventionalMemory:
    case EfiBootServicesCode:
    case EfiBootServicesData:
    case EfiLoaderCode:
        return LOADER_MEMORY_FREE;
    case EfiLoaderData:
        return LOADER_MEMORY_LOADER;
    default:
        return LOADER_MEMORY_FIRMWARE;
    }
}

/* Neighbours of one type become one: firmware has hundreds of pieces. */
static void add_range(LOADER_PARAMETER_BLOCK *block,
                      const EFI_MEMORY_DESCRIPTOR *piece)
{
    enum loader_memory_type type = type_of(piece->Type);
    ULONGLONG size = piece->NumberOfPages * EFI_PAGE_SIZE;
    struct loader_memory *last = block->memory_count
        ? &block->memory[block->memory_count - 1] : NULL;

    if (last && last->type == type &&
        last->base + last->size == piece->PhysicalStart)
        last->size += size;
    else if (block->memory_count < LOADER_MEMORY_RANGES)
        block->memory[block->memory_count++] = (struct loader_memory){
            piece->PhysicalStart, size, type };
}

/*
 * The last map must be the one that the firmware has when boot services end,
 * and asking for memory changes it: so there is room for more than there is.
 */
void leave_firmware(EFI_HANDLE image, LOADER_PARAMETER_BLOCK *block)
{
    UINTN size = 0, key, step = 0, room, tries = 0;
    UINT32 version;
    UCHAR *map;

    BS->GetMemoryMap(&size, NULL, &key, &step, &version);
    room = size + MAP_SLACK * step;
    map = allocate(room);
    do {
        size = room;
        if (EFI_ERROR(BS->GetMemoryMap(&size, (void *)map, &key, &step,
                                       &version)))
            give_up(L"The firmware does not tell its memory.");
        if (tries++ == TRIES)
            give_up(L"The firmware does not let go.");
    } while (EFI_ERROR(BS->ExitBootServices(image, key)));

    for (UINTN at = 0; at + step <= size; at += step)
        add_range(block, (const void *)(map + at));
    block->memory_count = boot_normalize_memory(
        block->memory, block->memory_count, LOADER_MEMORY_RANGES);
    boot_leave_real_mode(block);
}
