/*
 * pe_check.h - what must be true of every file that rtl_pe_parse accepts.
 *
 * Shared by the unit test, which changes one field at a time, and the fuzz
 * target, which changes anything.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include <rtl_pe.h>

#define PE_CHECK_LARGEST 0x1000000

#define PE_MUST(condition)              \
    do {                                \
        if (!(condition))               \
            abort();                    \
    } while (0)

/* The file laid out as in memory, in a block of exactly its size. */
static inline unsigned char *pe_lay_out(const void *file,
                                        const struct rtl_pe *pe)
{
    unsigned char *image = calloc(1, pe->size_of_image);

    memcpy(image, file, pe->size_of_headers);
    for (ULONG i = 0; i < pe->section_count; i++) {
        struct rtl_pe_section s;
        rtl_pe_section(file, pe, i, &s);
        memcpy(image + s.rva, (const char *)file + s.file_offset,
               s.file_size);
    }
    return image;
}

static inline void pe_check_sections(const void *file, SIZE_T size,
                                     const struct rtl_pe *pe)
{
    ULONGLONG end = pe->size_of_headers;

    for (ULONG i = 0; i < pe->section_count; i++) {
        struct rtl_pe_section s;
        rtl_pe_section(file, pe, i, &s);
        PE_MUST(s.rva % PAGE_SIZE == 0 && s.rva >= end);
        PE_MUST(s.virtual_size > 0 && s.file_size <= s.virtual_size);
        PE_MUST((ULONGLONG)s.file_offset + s.file_size <= size);
        PE_MUST(!(s.writable && s.executable));
        end = (ULONGLONG)s.rva + s.virtual_size;
        PE_MUST(end <= pe->size_of_image);
    }
}

/* Returns the parser's answer after having used all that it promises. */
static inline NTSTATUS pe_check(const void *file, SIZE_T size)
{
    static const char *const names[] = {
        "LdrInitializeThunk", "sample_sum", "sample_forward", "",
    };
    struct rtl_pe pe;
    NTSTATUS status = rtl_pe_parse(file, size, &pe);
    ULONG rva;

    if (!NT_SUCCESS(status))
        return status;
    PE_MUST(pe.size_of_headers <= size);
    PE_MUST(pe.entry_point < pe.size_of_image);
    pe_check_sections(file, size, &pe);
    for (ULONG i = 0; i < ARRAY_SIZE(names); i++) {
        if (NT_SUCCESS(rtl_pe_find_export(file, &pe, names[i], &rva)))
            PE_MUST(rva < pe.size_of_image);
    }
    if (pe.size_of_image <= PE_CHECK_LARGEST) {
        unsigned char *image = pe_lay_out(file, &pe);
        rtl_pe_relocate(image, &pe, 0x123456780000);
        free(image);
    }
    return status;
}
