/*
 * rtl_pe.h - ring 1: portable executables, trusted in nothing.
 */
#pragma once

#include <rtl.h>

struct rtl_pe_directory {
    ULONG rva, size;
};

/*
 * An image's headers, checked against the file they came from.  PE32 and
 * PE32+ look alike here: address_size is 4 or 8, machine the IMAGE_FILE_
 * MACHINE_ constant that goes with it.
 */
struct rtl_pe {
    ULONGLONG preferred_base;
    ULONGLONG stack_reserve, stack_commit;
    ULONG size_of_image, size_of_headers, section_alignment, file_alignment;
    ULONG entry_point;                  /* rva, 0: none */
    ULONG section_table;                /* offset in the file */
    ULONG image_base_offset;            /* of ImageBase in the headers */
    ULONG address_size;                 /* bytes */
    USHORT machine;
    USHORT section_count;
    USHORT subsystem, subsystem_major, subsystem_minor;
    USHORT characteristics, dll_characteristics;
    struct rtl_pe_directory exports, relocations;
};

struct rtl_pe_section {
    ULONG rva, virtual_size;            /* in memory, not rounded */
    ULONG file_offset, file_size;       /* within the file; may be 0 */
    BOOLEAN readable, writable, executable;
};

/*
 * STATUS_INVALID_IMAGE_NOT_MZ, STATUS_INVALID_IMAGE_FORMAT: some field is
 * wrong, it is for another machine than i386 and amd64, or a section is both
 * writable and executable.
 */
NTSTATUS rtl_pe_parse(const void *file, SIZE_T size, struct rtl_pe *pe);

/* Section i of a parsed file. */
void rtl_pe_section(const void *file, const struct rtl_pe *pe, ULONG i,
                    struct rtl_pe_section *section);

/*
 * Add delta to every address the relocations name, in an image laid out as in
 * memory, of pe->size_of_image bytes, modulo its address size.
 * STATUS_INVALID_IMAGE_FORMAT: it may be half done then.
 */
NTSTATUS rtl_pe_relocate(void *image, const struct rtl_pe *pe,
                         ULONGLONG delta);

/*
 * The rva of a named export, in a file (not laid out).
 * STATUS_ENTRYPOINT_NOT_FOUND, also for forwarders and broken tables.
 */
NTSTATUS rtl_pe_find_export(const void *file, const struct rtl_pe *pe,
                            const char *name, ULONG *rva);
