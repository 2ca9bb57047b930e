/*
 * boot/efi/kernel.c - ntoskrnl.elf in memory, wherever there is room.
 *
 * Only what is linked for system space is the kernel; the rest of the file is
 * GRUB's way in (linker.ld).  Segments keep their distances.
 */
#include "efiload.h"

#define SYSTEM_SPACE 0xFFFFFFFF80000000ULL
#define MOST 0x20000000ULL              /* of the image: 512 MiB */
#define PT_LOAD 1
#define PF_X 1
#define PF_W 2
#define SHT_SYMTAB 2
#define EM_X86_64 62

struct elf_header {
    UCHAR ident[16];
    USHORT type, machine;
    ULONG version;
    ULONGLONG entry, segments, sections;
    ULONG flags;
    USHORT size, segment_size, segment_count, section_size, section_count,
        names;
};

struct elf_segment {
    ULONG type, flags;
    ULONGLONG offset, va, physical, file_size, size, alignment;
};

struct elf_section {
    ULONG name, type;
    ULONGLONG flags, va, offset, size;
    ULONG link, info;
    ULONGLONG alignment, entry_size;
};

struct elf_symbol {
    ULONG name;
    UCHAR info, other;
    USHORT section;
    ULONGLONG value, size;
};

static __attribute__((noreturn)) void damaged(void)
{
    give_up(FOLDER KERNEL_NAME L" is no kernel for this loader.");
}

/* COUNT structures of SIZE bytes at OFFSET, if the file has them. */
static const void *inside(struct efi_file file, ULONGLONG offset,
                          ULONGLONG count, ULONGLONG size)
{
    if (offset > file.size || count > (file.size - offset) / size)
        damaged();
    return file.bytes + offset;
}

static const struct elf_header *header_of(struct efi_file file)
{
    static const UCHAR ident[] = { 0x7F, 'E', 'L', 'F', 2, 1, 1 };
    const struct elf_header *header = inside(file, 0, 1, sizeof *header);

    if (CompareMem(header->ident, ident, sizeof ident) != 0 ||
        header->machine != EM_X86_64 ||
        header->segment_size != sizeof(struct elf_segment) ||
        header->section_size != sizeof(struct elf_section))
        damaged();
    return header;
}

static const struct elf_segment *segments_of(struct efi_file file)
{
    const struct elf_header *header = header_of(file);

    return inside(file, header->segments, header->segment_count,
                  sizeof(struct elf_segment));
}

static BOOLEAN is_kernel(const struct elf_segment *segment)
{
    return segment->type == PT_LOAD && segment->size &&
           segment->va >= SYSTEM_SPACE;
}

/* Fills va, size, segments. */
static void measure(struct efi_file file, struct kernel *kernel)
{
    const struct elf_segment *segment = segments_of(file);
    ULONGLONG lowest = ~0ULL, highest = 0;

    for (ULONG i = 0; i < header_of(file)->segment_count; i++) {
        if (!is_kernel(&segment[i]))
            continue;
        if (segment[i].va & (PAGE_SIZE - 1) || segment[i].size > MOST ||
            segment[i].va - SYSTEM_SPACE > MOST ||
            segment[i].file_size > segment[i].size ||
            kernel->count == SEGMENTS)
            damaged();
        inside(file, segment[i].offset, segment[i].file_size, 1);
        kernel->segment[kernel->count++] = (struct segment){
            segment[i].va, ALIGN_UP(segment[i].size, PAGE_SIZE),
            (segment[i].flags & PF_W) != 0, (segment[i].flags & PF_X) != 0 };
        if (segment[i].va < lowest)
            lowest = segment[i].va;
        if (segment[i].va + segment[i].size > highest)
            highest = segment[i].va + segment[i].size;
    }
    if (!kernel->count)
        damaged();
    kernel->va = lowest;
    kernel->size = ALIGN_UP(highest - lowest, PAGE_SIZE);
}

static void copy_segments(struct efi_file file, struct kernel *kernel)
{
    const struct elf_segment *segment = segments_of(file);

    kernel->physical = (ULONG_PTR)allocate(kernel->size);
    for (ULONG i = 0; i < header_of(file)->segment_count; i++) {
        if (is_kernel(&segment[i]))
            CopyMem((void *)(kernel->physical + segment[i].va - kernel->va),
                    file.bytes + segment[i].offset, segment[i].file_size);
    }
}

static const struct elf_section *symbols_of(struct efi_file file,
                                            const struct elf_section **names)
{
    const struct elf_header *header = header_of(file);
    const struct elf_section *section = inside(
        file, header->sections, header->section_count, sizeof *section);

    for (ULONG i = 0; i < header->section_count; i++) {
        if (section[i].type != SHT_SYMTAB)
            continue;
        if (section[i].link >= header->section_count)
            damaged();
        *names = &section[section[i].link];
        return &section[i];
    }
    damaged();
}

static ULONGLONG find_symbol(struct efi_file file, const CHAR *name)
{
    const struct elf_section *names, *table = symbols_of(file, &names);
    const CHAR *strings = inside(file, names->offset, names->size, 1);
    ULONGLONG count = table->size / sizeof(struct elf_symbol);
    const struct elf_symbol *symbol = inside(file, table->offset, count,
                                             sizeof *symbol);
    UINTN length = strlena((const CHAR8 *)name) + 1;

    for (ULONGLONG i = 0; i < count; i++) {
        if (symbol[i].name < names->size &&
            names->size - symbol[i].name >= length &&
            CompareMem(strings + symbol[i].name, name, length) == 0)
            return symbol[i].value;
    }
    damaged();
}

void load_kernel(struct efi_file file, struct kernel *kernel)
{
    measure(file, kernel);
    copy_segments(file, kernel);
    kernel->entry = find_symbol(file, "KiSystemStartup");
    kernel->stack = find_symbol(file, "ki_idle_stack_top");
}
