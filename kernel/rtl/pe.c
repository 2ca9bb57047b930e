/*
 * rtl/pe.c - a portable executable's headers, checked field by field.
 *
 * The file may be anything.  Every offset is compared with the file's length,
 * every rva with SizeOfImage, in 64 bits, before it is used; a structure is
 * copied out before it is looked at, because its offset may be odd.  The
 * 32-bit optional header (PE32) is made a 64-bit one (PE32+) as it is read, so
 * that everything is checked by the same code.
 */
#include <rtl_pe.h>

#include <nt/pe.h>

#define MAX_IMAGE 0x40000000ULL
#define MAX_SECTIONS 96                 /* Windows' limit */
#define BAD STATUS_INVALID_IMAGE_FORMAT

static BOOLEAN read(const void *file, SIZE_T size, ULONGLONG offset, void *to,
                    SIZE_T length)
{
    if (offset > size || size - offset < length)
        return FALSE;
    memcpy(to, (const UCHAR *)file + offset, length);
    return TRUE;
}

static BOOLEAN is_power_of_two(ULONG value)
{
    return value && (value & (value - 1)) == 0;
}

/* What the two kinds of file do not share. */
struct form {
    USHORT machine, magic;
    ULONG address_size;
    ULONG image_base;                   /* offset in the optional header */
    ULONG directories;                  /* likewise; fixed fields end there */
    USHORT relocation;                  /* of an address */
};

static const struct form forms[] = {
    { IMAGE_FILE_MACHINE_AMD64, IMAGE_NT_OPTIONAL_HDR64_MAGIC, 8,
      offsetof(IMAGE_OPTIONAL_HEADER64, ImageBase),
      offsetof(IMAGE_OPTIONAL_HEADER64, DataDirectory),
      IMAGE_REL_BASED_DIR64 },
    { IMAGE_FILE_MACHINE_I386, IMAGE_NT_OPTIONAL_HDR32_MAGIC, 4,
      offsetof(IMAGE_OPTIONAL_HEADER32, ImageBase),
      offsetof(IMAGE_OPTIONAL_HEADER32, DataDirectory),
      IMAGE_REL_BASED_HIGHLOW },
};

static const struct form *find_form(USHORT machine)
{
    for (ULONG i = 0; i < ARRAY_SIZE(forms); i++) {
        if (forms[i].machine == machine)
            return &forms[i];
    }
    return NULL;
}

struct headers {
    const struct form *form;
    IMAGE_FILE_HEADER file;
    IMAGE_OPTIONAL_HEADER64 optional;   /* of either kind */
    ULONGLONG optional_offset;          /* in the file */
};

static NTSTATUS read_file_header(const void *file, SIZE_T size,
                                 struct headers *headers)
{
    IMAGE_DOS_HEADER dos;
    ULONGLONG at;
    ULONG signature;

    if (!read(file, size, 0, &dos, sizeof dos) ||
        dos.e_magic != IMAGE_DOS_SIGNATURE)
        return STATUS_INVALID_IMAGE_NOT_MZ;
    if (dos.e_lfanew < 0 || dos.e_lfanew % sizeof(ULONG) != 0)
        return BAD;
    at = (ULONGLONG)dos.e_lfanew;
    if (!read(file, size, at, &signature, sizeof signature) ||
        signature != IMAGE_NT_SIGNATURE ||
        !read(file, size, at + sizeof signature, &headers->file,
              sizeof headers->file) ||
        !(headers->file.Characteristics & IMAGE_FILE_EXECUTABLE_IMAGE))
        return BAD;
    headers->form = find_form(headers->file.Machine);
    headers->optional_offset = at + sizeof signature + sizeof headers->file;
    return headers->form ? STATUS_SUCCESS : BAD;
}

/* The fields that have another width or place; the rest is as it was read. */
static void widen(IMAGE_OPTIONAL_HEADER64 *to,
                  const IMAGE_OPTIONAL_HEADER32 *from)
{
    memcpy(to, from, offsetof(IMAGE_OPTIONAL_HEADER64, SizeOfStackReserve));
    to->ImageBase = from->ImageBase;
    to->SizeOfStackReserve = from->SizeOfStackReserve;
    to->SizeOfStackCommit = from->SizeOfStackCommit;
    to->SizeOfHeapReserve = from->SizeOfHeapReserve;
    to->SizeOfHeapCommit = from->SizeOfHeapCommit;
    to->LoaderFlags = from->LoaderFlags;
    to->NumberOfRvaAndSizes = from->NumberOfRvaAndSizes;
}

static NTSTATUS read_optional_header(const void *file, SIZE_T size,
                                     struct headers *headers)
{
    const struct form *form = headers->form;
    IMAGE_OPTIONAL_HEADER64 *o = &headers->optional;
    IMAGE_OPTIONAL_HEADER32 narrow = { 0 };
    void *to = form->address_size == 8 ? (void *)o : (void *)&narrow;
    ULONGLONG at = headers->optional_offset;
    SIZE_T directories;

    if (!read(file, size, at, to, form->directories))
        return BAD;
    if (form->address_size != 8)
        widen(o, &narrow);
    if (o->NumberOfRvaAndSizes > IMAGE_NUMBEROF_DIRECTORY_ENTRIES)
        o->NumberOfRvaAndSizes = IMAGE_NUMBEROF_DIRECTORY_ENTRIES;
    directories = o->NumberOfRvaAndSizes * sizeof(IMAGE_DATA_DIRECTORY);
    if (o->Magic != form->magic ||
        headers->file.SizeOfOptionalHeader < form->directories + directories ||
        !read(file, size, at + form->directories, o->DataDirectory,
              directories))
        return BAD;
    return STATUS_SUCCESS;
}

static NTSTATUS read_headers(const void *file, SIZE_T size,
                             struct headers *headers)
{
    NTSTATUS status = read_file_header(file, size, headers);

    return NT_SUCCESS(status) ? read_optional_header(file, size, headers)
                              : status;
}

static NTSTATUS check_optional(const IMAGE_OPTIONAL_HEADER64 *o, SIZE_T size)
{
    if (!is_power_of_two(o->SectionAlignment) ||
        o->SectionAlignment < PAGE_SIZE || !is_power_of_two(o->FileAlignment) ||
        o->FileAlignment > o->SectionAlignment ||
        o->SizeOfImage == 0 || o->SizeOfImage > MAX_IMAGE ||
        o->SizeOfHeaders == 0 || o->SizeOfHeaders > size ||
        o->SizeOfHeaders > o->SizeOfImage ||
        o->AddressOfEntryPoint >= o->SizeOfImage ||
        o->ImageBase & (ALLOCATION_GRANULARITY - 1))
        return BAD;
    return STATUS_SUCCESS;
}

static void read_directory(const IMAGE_OPTIONAL_HEADER64 *o, ULONG index,
                           struct rtl_pe_directory *directory)
{
    const IMAGE_DATA_DIRECTORY *d = &o->DataDirectory[index];

    *directory = (struct rtl_pe_directory){ 0 };
    if ((ULONGLONG)d->VirtualAddress + d->Size <= o->SizeOfImage)
        *directory = (struct rtl_pe_directory){ d->VirtualAddress, d->Size };
}

void rtl_pe_section(const void *file, const struct rtl_pe *pe, ULONG i,
                    struct rtl_pe_section *section)
{
    IMAGE_SECTION_HEADER header;

    memcpy(&header, (const UCHAR *)file + pe->section_table +
                        i * sizeof header, sizeof header);
    section->rva = header.VirtualAddress;
    section->virtual_size = header.Misc.VirtualSize;
    if (section->virtual_size == 0)
        section->virtual_size = header.SizeOfRawData;
    section->file_offset = header.PointerToRawData;
    section->file_size = header.PointerToRawData ? header.SizeOfRawData : 0;
    if (section->file_size > section->virtual_size)
        section->file_size = section->virtual_size;
    section->readable = (header.Characteristics & IMAGE_SCN_MEM_READ) != 0;
    section->writable = (header.Characteristics & IMAGE_SCN_MEM_WRITE) != 0;
    section->executable =
        (header.Characteristics & IMAGE_SCN_MEM_EXECUTE) != 0;
}

/*
 * Each where the one before ends, inside the image and the file, never W and
 * X; and the last one ends the image.  So an image has no holes, and all its
 * pages are there when it is relocated.
 */
static NTSTATUS check_sections(const void *file, SIZE_T size,
                               const struct rtl_pe *pe)
{
    ULONGLONG next = ALIGN_UP(pe->size_of_headers, pe->section_alignment);

    for (ULONG i = 0; i < pe->section_count; i++) {
        struct rtl_pe_section s;

        rtl_pe_section(file, pe, i, &s);
        if (s.rva != next || s.virtual_size == 0 ||
            (ULONGLONG)s.rva + s.virtual_size > pe->size_of_image ||
            (ULONGLONG)s.file_offset + s.file_size > size ||
            (s.writable && s.executable))
            return BAD;
        next = ALIGN_UP((ULONGLONG)s.rva + s.virtual_size,
                        pe->section_alignment);
    }
    return ALIGN_UP(pe->size_of_image, pe->section_alignment) == next
               ? STATUS_SUCCESS : BAD;
}

/* Only what check_optional has seen; the tables are the caller's. */
static void describe(const struct headers *headers, struct rtl_pe *pe)
{
    const IMAGE_OPTIONAL_HEADER64 *o = &headers->optional;

    *pe = (struct rtl_pe){
        .preferred_base = o->ImageBase,
        .stack_reserve = o->SizeOfStackReserve,
        .stack_commit = o->SizeOfStackCommit,
        .size_of_image = (ULONG)ALIGN_UP(o->SizeOfImage, PAGE_SIZE),
        .size_of_headers = o->SizeOfHeaders,
        .section_alignment = o->SectionAlignment,
        .file_alignment = o->FileAlignment,
        .entry_point = o->AddressOfEntryPoint,
        .section_table = (ULONG)headers->optional_offset +
                         headers->file.SizeOfOptionalHeader,
        .image_base_offset = (ULONG)headers->optional_offset +
                             headers->form->image_base,
        .address_size = headers->form->address_size,
        .machine = headers->form->machine,
        .section_count = headers->file.NumberOfSections,
        .subsystem = o->Subsystem,
        .subsystem_major = o->MajorSubsystemVersion,
        .subsystem_minor = o->MinorSubsystemVersion,
        .characteristics = headers->file.Characteristics,
        .dll_characteristics = o->DllCharacteristics,
    };
    read_directory(o, IMAGE_DIRECTORY_ENTRY_EXPORT, &pe->exports);
    read_directory(o, IMAGE_DIRECTORY_ENTRY_BASERELOC, &pe->relocations);
}

NTSTATUS rtl_pe_parse(const void *file, SIZE_T size, struct rtl_pe *pe)
{
    struct headers headers = { 0 };
    NTSTATUS status = read_headers(file, size, &headers);

    if (NT_SUCCESS(status))
        status = check_optional(&headers.optional, size);
    if (!NT_SUCCESS(status))
        return status;
    describe(&headers, pe);
    if (pe->section_count > MAX_SECTIONS ||
        (ULONGLONG)pe->section_table +
                pe->section_count * sizeof(IMAGE_SECTION_HEADER) >
            pe->size_of_headers)
        return BAD;
    return check_sections(file, size, pe);
}

/* One block: a page and the offsets in it that hold addresses. */
static NTSTATUS relocate_block(UCHAR *image, const struct rtl_pe *pe,
                               const IMAGE_BASE_RELOCATION *block,
                               const UCHAR *entries, ULONGLONG delta)
{
    ULONG count = (block->SizeOfBlock - sizeof *block) / sizeof(USHORT);
    USHORT type = find_form(pe->machine)->relocation;

    for (ULONG i = 0; i < count; i++) {
        USHORT entry;
        ULONGLONG rva, value = 0;

        memcpy(&entry, entries + i * sizeof entry, sizeof entry);
        if (entry >> 12 == IMAGE_REL_BASED_ABSOLUTE)
            continue;
        rva = (ULONGLONG)block->VirtualAddress + (entry & 0xFFF);
        if (entry >> 12 != type ||
            rva + pe->address_size > pe->size_of_image)
            return BAD;
        memcpy(&value, image + rva, pe->address_size);
        value += delta;
        memcpy(image + rva, &value, pe->address_size);
    }
    return STATUS_SUCCESS;
}

NTSTATUS rtl_pe_relocate(void *image, const struct rtl_pe *pe, ULONGLONG delta)
{
    ULONGLONG at = pe->relocations.rva;
    ULONGLONG end = at + pe->relocations.size;
    NTSTATUS status = STATUS_SUCCESS;

    while (NT_SUCCESS(status) && end - at >= sizeof(IMAGE_BASE_RELOCATION)) {
        IMAGE_BASE_RELOCATION block;

        memcpy(&block, (UCHAR *)image + at, sizeof block);
        if (block.SizeOfBlock < sizeof block || block.SizeOfBlock > end - at)
            return BAD;
        status = relocate_block(image, pe, &block,
                                (UCHAR *)image + at + sizeof block, delta);
        at += block.SizeOfBlock;
    }
    return status;
}

/* Where an rva's bytes lie in the file; FALSE when length do not. */
static BOOLEAN file_offset(const void *file, const struct rtl_pe *pe,
                           ULONGLONG rva, ULONGLONG length, ULONGLONG *offset)
{
    for (ULONG i = 0; i < pe->section_count; i++) {
        struct rtl_pe_section s;

        rtl_pe_section(file, pe, i, &s);
        if (rva >= s.rva && rva + length <= (ULONGLONG)s.rva + s.file_size) {
            *offset = s.file_offset + (rva - s.rva);
            return TRUE;
        }
    }
    return FALSE;
}

static BOOLEAN read_rva(const void *file, const struct rtl_pe *pe,
                        ULONGLONG rva, void *to, SIZE_T length)
{
    ULONGLONG offset;

    if (!file_offset(file, pe, rva, length, &offset))
        return FALSE;
    memcpy(to, (const UCHAR *)file + offset, length);
    return TRUE;
}

static BOOLEAN is_name(const void *file, const struct rtl_pe *pe, ULONG rva,
                       const char *name)
{
    SIZE_T length = strlen(name) + 1;
    ULONGLONG offset;

    return file_offset(file, pe, rva, length, &offset) &&
           memcmp((const UCHAR *)file + offset, name, length) == 0;
}

NTSTATUS rtl_pe_find_export(const void *file, const struct rtl_pe *pe,
                            const char *name, ULONG *rva)
{
    IMAGE_EXPORT_DIRECTORY exports;

    if (!pe->exports.size ||
        !read_rva(file, pe, pe->exports.rva, &exports, sizeof exports))
        return STATUS_ENTRYPOINT_NOT_FOUND;
    for (ULONG i = 0; i < exports.NumberOfNames; i++) {
        ULONG name_rva;
        USHORT ordinal;

        if (!read_rva(file, pe, exports.AddressOfNames + i * 4ULL, &name_rva,
                      sizeof name_rva))
            break;
        if (!is_name(file, pe, name_rva, name))
            continue;
        if (!read_rva(file, pe, exports.AddressOfNameOrdinals + i * 2ULL,
                      &ordinal, sizeof ordinal) ||
            !read_rva(file, pe, exports.AddressOfFunctions + ordinal * 4ULL,
                      rva, sizeof *rva) ||
            *rva >= pe->size_of_image ||
            (*rva >= pe->exports.rva &&
             *rva - pe->exports.rva < pe->exports.size))
            break;
        return STATUS_SUCCESS;
    }
    return STATUS_ENTRYPOINT_NOT_FOUND;
}
