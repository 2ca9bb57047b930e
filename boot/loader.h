/*
 * boot/loader.h - the one contract between firmware and kernel.
 *
 * Either road (boot/grub, boot/efi) fills a LOADER_PARAMETER_BLOCK and jumps
 * to KiSystemStartup with its address in rcx.  At that point: long mode,
 * interrupts off, the kernel image at the addresses it was linked for, each
 * segment with at least its protection, and physical memory below 4 GiB
 * mapped at its own addresses, where the block and the modules lie.
 * KiSystemStartup copies the block; Mm replaces these page tables, and until
 * then physical addresses are pointers.
 *
 * NT: the block plays LOADER_PARAMETER_BLOCK's part and is not laid out like
 * it (docs/fidelity.md).
 */
#pragma once

#include <nt/ntdef.h>

#define LOADER_MEMORY_RANGES 256
#define LOADER_MODULES 128
#define LOADER_NAME_LENGTH 64
#define LOADER_OPTIONS_LENGTH 1024
#define LOADER_RSDP_SIZE 36
#define LOADER_SMBIOS_SIZE 32
#define LOADER_STARTUP_PAGES 4

enum loader_memory_type {
    LOADER_MEMORY_FREE,         /* the kernel's from now on */
    LOADER_MEMORY_LOADER,       /* image, modules: in use, ordinary RAM */
    LOADER_MEMORY_FIRMWARE,     /* never touched: tables, runtime, holes */
};

/* Bytes [base, base + size), page aligned, ascending, not overlapping. */
struct loader_memory {
    ULONGLONG base;
    ULONGLONG size;
    enum loader_memory_type type;
};

/* A boot file, physically contiguous and page aligned. */
struct loader_module {
    ULONGLONG base;
    ULONGLONG size;
    CHAR name[LOADER_NAME_LENGTH];
};

/* Zero address: no framebuffer.  pitch in bytes; masks as shift and width. */
struct loader_framebuffer {
    ULONGLONG address;
    ULONG pitch, width, height, bits_per_pixel;
    UCHAR red_shift, red_bits, green_shift, green_bits, blue_shift, blue_bits;
};

typedef struct _LOADER_PARAMETER_BLOCK {
    CHAR loader_name[LOADER_NAME_LENGTH];   /* "GRUB 2.06", "BOOTX64.EFI" */
    CHAR firmware[8];                       /* "BIOS" or "UEFI" */
    ULONGLONG kernel_base, kernel_size; /* physical, contiguous */
    ULONGLONG entered;                  /* the TSC at the first instruction */
    ULONGLONG startup;                  /* LOADER_STARTUP_PAGES in real mode's
                                           reach for processors; 0: none */
    ULONG memory_count;
    ULONG module_count;
    ULONG modules_left_out;             /* for lack of room here */
    struct loader_memory memory[LOADER_MEMORY_RANGES];
    struct loader_module modules[LOADER_MODULES];
    struct loader_framebuffer framebuffer;
    ULONG acpi_rsdp_size;               /* 0: the firmware has no ACPI */
    UCHAR acpi_rsdp[LOADER_RSDP_SIZE];  /* ACPI's root pointer, a copy */
    UCHAR smbios[LOADER_SMBIOS_SIZE];   /* SMBIOS's entry point, the same */
    CHAR options[LOADER_OPTIONS_LENGTH]; /* "key=value ... -- program args" */
} LOADER_PARAMETER_BLOCK;
