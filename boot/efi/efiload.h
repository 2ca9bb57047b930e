/*
 * boot/efi/efiload.h - BOOTX64.EFI: from UEFI to KiSystemStartup.
 *
 * The loader reads everything from the volume it was started from:
 *
 *     \EFI\BOOT\BOOTX64.EFI
 *     \ntwalk\options.txt         what can be booted (options.c)
 *     \ntwalk\files.txt           every file, with its checksum (files.c)
 *     \ntwalk\ntoskrnl.elf
 *     \ntwalk\System32\*          the modules
 *
 * What the kernel gets is EfiLoaderData, below 4 GiB but for its image, which
 * may be anywhere.  All else is free again when the firmware has let go.
 */
#pragma once

#include <nt/ntdef.h>

#define EFI_NT_EMUL                     /* LIST_ENTRY is NT's */
typedef LIST_ENTRY EFI_LIST_ENTRY;
#include <efi.h>
#include <efilib.h>

#include <loader.h>

#define FOLDER L"\\ntwalk\\"
#define LIST_NAME FOLDER L"files.txt"
#define OPTIONS_NAME FOLDER L"options.txt"
#define KERNEL_NAME "ntoskrnl.elf"

/* A file in whole pages of its own; its last page ends in zeros. */
struct efi_file {
    UCHAR *bytes;
    UINTN size;
};

/* A word or a line of a text; not terminated. */
struct text {
    const CHAR *at;
    UINTN length;
};

/* main.c: says what is wrong, waits for a key, and leaves to the firmware. */
__attribute__((noreturn)) void give_up(const CHAR16 *format, ...);

/* memory.c: zeroed pages below 4 GiB that the kernel will find in use. */
void *allocate_low(UINTN size);
/* Zeroed pages anywhere. */
void *allocate(UINTN size);
/* Ends boot services and fills block->memory. */
void leave_firmware(EFI_HANDLE image, LOADER_PARAMETER_BLOCK *block);

/* volume.c */
void open_volume(EFI_HANDLE image);
struct efi_file read_file(const CHAR16 *path);
void release_file(struct efi_file file);

/* text.c */
struct text next_line(struct text *rest);
struct text next_word(struct text *rest);
struct text trim(struct text text);
BOOLEAN is_word(struct text text, const CHAR *word);
BOOLEAN read_number(struct text text, ULONG base, ULONGLONG *value);
void copy_text(CHAR *to, UINTN size, struct text from);
void widen(CHAR16 *to, UINTN count, struct text from);

/* files.c: reads the list; the kernel, and the modules into the block. */
struct efi_file read_files(LOADER_PARAMETER_BLOCK *block);

/* options.c */
#define ENTRIES 16
struct entry {
    struct text title, options;
};
struct entries {
    ULONG count, timeout;               /* seconds */
    struct entry entry[ENTRIES];
};
void read_options(struct entries *entries);
/*
 * The value of KEY= among the options, which is the loader's and blanked out
 * there; its length is 0 without one.  It lasts until the next call.
 */
struct text take_option(CHAR *options, const CHAR *key);

/* menu.c: returns the number of the entry that is wanted. */
ULONG choose_entry(const struct entries *entries);

/* kernel.c: an ELF file's segments in memory of their own. */
#define SEGMENTS 8
struct segment {
    ULONGLONG va, size;                 /* whole pages */
    BOOLEAN writable, executable;
};
struct kernel {
    ULONGLONG physical, va, size;
    ULONGLONG entry, stack;             /* KiSystemStartup, its stack's top */
    ULONG count;
    struct segment segment[SEGMENTS];
};
void load_kernel(struct efi_file file, struct kernel *kernel);

/* acpi.c: fills block->acpi_rsdp and smbios. */
void copy_tables(LOADER_PARAMETER_BLOCK *block);

/* video.c: WORD is video='s, perhaps nothing; fills block->framebuffer. */
void choose_video(LOADER_PARAMETER_BLOCK *block, struct text word);

/* tables.c: returns CR3. */
ULONGLONG make_tables(const struct kernel *kernel);

/* handoff.asm: code without an address of its own, to be copied. */
struct handoff {
    ULONGLONG cr3, block, stack, entry;
};
typedef void (*handoff_routine)(const struct handoff *);
extern const UCHAR handoff_code[], handoff_code_end[];
