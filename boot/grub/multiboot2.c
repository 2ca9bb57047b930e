/*
 * boot/grub/multiboot2.c - GRUB's tags -> LOADER_PARAMETER_BLOCK.
 *
 * Runs on the first page tables: a physical address below 4 GiB is a pointer.
 * What GRUB left in memory (modules, the tags themselves) is marked as in
 * use before the memory map goes to Mm; everything is copied out of the tags.
 */
#include "multiboot2.h"

#include <arch/entry.h>
#include <loader.h>
#include <memmap.h>
#include <rtl.h>

#define BIOS_START 0xF0000ULL
#define BIOS_END 0xFFFE0ULL             /* less LOADER_SMBIOS_SIZE */

static LOADER_PARAMETER_BLOCK loader_block;

extern UCHAR boot_end[], kernel_end[];
extern const ULONGLONG boot_entered;    /* start32.asm */

static void copy_text(CHAR *to, size_t size, const CHAR *from)
{
    rtl_snprintf(to, size, "%s", from);
}

static void add_memory(const struct multiboot2_memory_map *map)
{
    LOADER_PARAMETER_BLOCK *block = &loader_block;
    const UCHAR *at = (const UCHAR *)map->entries;
    const UCHAR *end = (const UCHAR *)map + map->tag.size;

    if (map->entry_size < sizeof(struct multiboot2_memory_entry))
        return;
    for (; at + map->entry_size <= end; at += map->entry_size) {
        const struct multiboot2_memory_entry *entry = (const void *)at;
        if (block->memory_count == LOADER_MEMORY_RANGES)
            return;
        block->memory[block->memory_count++] = (struct loader_memory){
            .base = entry->base,
            .size = entry->length,
            .type = entry->type == MULTIBOOT2_MEMORY_FREE
                        ? LOADER_MEMORY_FREE : LOADER_MEMORY_FIRMWARE,
        };
    }
}

static void add_module(const struct multiboot2_module *module)
{
    LOADER_PARAMETER_BLOCK *block = &loader_block;
    struct loader_module *entry = &block->modules[block->module_count];

    if (block->module_count == LOADER_MODULES) {
        block->modules_left_out++;
        return;
    }
    block->module_count++;
    entry->base = module->start;
    entry->size = module->end - module->start;
    copy_text(entry->name, sizeof entry->name, module->text);
}

static void set_framebuffer(const struct multiboot2_framebuffer *tag)
{
    if (tag->type != MULTIBOOT2_FRAMEBUFFER_RGB)
        return;
    loader_block.framebuffer = (struct loader_framebuffer){
        .address = tag->address,
        .pitch = tag->pitch,
        .width = tag->width,
        .height = tag->height,
        .bits_per_pixel = tag->bits_per_pixel,
        .red_shift = tag->red_shift,
        .red_bits = tag->red_bits,
        .green_shift = tag->green_shift,
        .green_bits = tag->green_bits,
        .blue_shift = tag->blue_shift,
        .blue_bits = tag->blue_bits,
    };
}

/* The newer one wins, whichever comes first. */
static void set_rsdp(const struct multiboot2_rsdp *tag)
{
    LOADER_PARAMETER_BLOCK *block = &loader_block;
    ULONG size = tag->tag.size - sizeof *tag;

    if (size > LOADER_RSDP_SIZE)
        size = LOADER_RSDP_SIZE;
    if (size <= block->acpi_rsdp_size)
        return;
    memcpy(block->acpi_rsdp, tag->bytes, size);
    block->acpi_rsdp_size = size;
}

static void read_tag(const struct multiboot2_tag *tag)
{
    LOADER_PARAMETER_BLOCK *block = &loader_block;

    switch (tag->type) {
    case MULTIBOOT2_TAG_COMMAND_LINE:
        copy_text(block->options, sizeof block->options,
                  ((const struct multiboot2_string *)tag)->text);
        break;
    case MULTIBOOT2_TAG_LOADER_NAME:
        copy_text(block->loader_name, sizeof block->loader_name,
                  ((const struct multiboot2_string *)tag)->text);
        break;
    case MULTIBOOT2_TAG_MODULE:
        add_module((const struct multiboot2_module *)tag);
        break;
    case MULTIBOOT2_TAG_MEMORY_MAP:
        add_memory((const struct multiboot2_memory_map *)tag);
        break;
    case MULTIBOOT2_TAG_FRAMEBUFFER:
        set_framebuffer((const struct multiboot2_framebuffer *)tag);
        break;
    case MULTIBOOT2_TAG_RSDP_OLD:
    case MULTIBOOT2_TAG_RSDP:
        set_rsdp((const struct multiboot2_rsdp *)tag);
        break;
    case MULTIBOOT2_TAG_EFI64:
        copy_text(block->firmware, sizeof block->firmware, "UEFI");
        break;
    }
}

/* Where a BIOS leaves it, if it does: on a paragraph of its last 64 KiB. */
static void find_smbios(void)
{
    const UCHAR *at = (const UCHAR *)BIOS_START;

    for (; at < (const UCHAR *)BIOS_END; at += 16) {
        if (memcmp(at, "_SM3_", 5) != 0 && memcmp(at, "_SM_", 4) != 0)
            continue;
        memcpy(loader_block.smbios, at, LOADER_SMBIOS_SIZE);
        return;
    }
}

static void reserve(ULONGLONG base, ULONGLONG size)
{
    boot_reserve(loader_block.memory, &loader_block.memory_count,
                 LOADER_MEMORY_RANGES, base, size, LOADER_MEMORY_LOADER);
}

/*
 * Called by start32.asm: magic and tags as GRUB left them in eax and ebx.
 * Does not return.
 */
void boot_multiboot2(ULONG magic, const struct multiboot2_info *info)
{
    LOADER_PARAMETER_BLOCK *block = &loader_block;
    const UCHAR *at = (const UCHAR *)(info + 1);
    const UCHAR *end = (const UCHAR *)info + info->total_size;

    copy_text(block->firmware, sizeof block->firmware, "BIOS");
    if (magic != MULTIBOOT2_LOADER_MAGIC)
        KiSystemStartup(NULL);
    while (at + sizeof(struct multiboot2_tag) <= end) {
        const struct multiboot2_tag *tag = (const void *)at;
        if (tag->type == MULTIBOOT2_TAG_END || tag->size < sizeof *tag)
            break;
        read_tag(tag);
        at += ALIGN_UP(tag->size, 8);
    }
    find_smbios();
    block->entered = boot_entered;
    block->kernel_base = (ULONG_PTR)boot_end;
    block->kernel_size = (ULONG_PTR)kernel_end - (ULONG_PTR)kernel_start;
    block->memory_count = boot_normalize_memory(
        block->memory, block->memory_count, LOADER_MEMORY_RANGES);
    reserve(0x100000, block->kernel_base + block->kernel_size - 0x100000);
    for (ULONG i = 0; i < block->module_count; i++)
        reserve(block->modules[i].base, block->modules[i].size);
    boot_leave_real_mode(block);
    KiSystemStartup(block);
}
