/*
 * boot/grub/multiboot2.h - the tags we read, from the Multiboot2
 * specification, section 3.6.
 */
#pragma once

#include <nt/ntdef.h>

#define MULTIBOOT2_LOADER_MAGIC 0x36D76289

enum {
    MULTIBOOT2_TAG_END = 0,
    MULTIBOOT2_TAG_COMMAND_LINE = 1,
    MULTIBOOT2_TAG_LOADER_NAME = 2,
    MULTIBOOT2_TAG_MODULE = 3,
    MULTIBOOT2_TAG_MEMORY_MAP = 6,
    MULTIBOOT2_TAG_FRAMEBUFFER = 8,
    MULTIBOOT2_TAG_EFI64 = 12,
    MULTIBOOT2_TAG_RSDP_OLD = 14,
    MULTIBOOT2_TAG_RSDP = 15,
};

#define MULTIBOOT2_MEMORY_FREE 1
#define MULTIBOOT2_FRAMEBUFFER_RGB 1

struct multiboot2_info {
    ULONG total_size;
    ULONG reserved;
};

struct multiboot2_tag {
    ULONG type;
    ULONG size;             /* without the padding to 8 */
};

struct multiboot2_string {
    struct multiboot2_tag tag;
    CHAR text[];
};

struct multiboot2_rsdp {
    struct multiboot2_tag tag;
    UCHAR bytes[];          /* ACPI's root pointer, a copy */
};

struct multiboot2_module {
    struct multiboot2_tag tag;
    ULONG start, end;
    CHAR text[];
};

struct multiboot2_memory_entry {
    ULONGLONG base, length;
    ULONG type, reserved;
};

struct multiboot2_memory_map {
    struct multiboot2_tag tag;
    ULONG entry_size, entry_version;
    struct multiboot2_memory_entry entries[];
};

struct multiboot2_framebuffer {
    struct multiboot2_tag tag;
    ULONGLONG address;
    ULONG pitch, width, height;
    UCHAR bits_per_pixel, type;
    USHORT reserved;
    UCHAR red_shift, red_bits, green_shift, green_bits, blue_shift, blue_bits;
};
