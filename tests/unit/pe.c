/*
 * pe.c - the portable executable parser: a DLL from mingw-w64, then the same
 * with every header field set to every value that could hurt.  The DLL is made
 * from sample.c; unit.mk says where it is (SAMPLE), and whether it is a 64-bit
 * or a 32-bit one (SAMPLE_BITS): both kinds go through all tests (pe32.c).
 */
#include "unit.h"

#include "pe_check.h"

#include <nt/pe.h>

/* The lowest byte of DELTA that is not 0 is number DELTA_BYTE. */
#if SAMPLE_BITS == 64
typedef IMAGE_NT_HEADERS64 HEADERS;
#define MACHINE         IMAGE_FILE_MACHINE_AMD64
#define OTHER_MACHINE   IMAGE_FILE_MACHINE_I386
#define OTHER_MAGIC     IMAGE_NT_OPTIONAL_HDR32_MAGIC
#define RELOCATION      IMAGE_REL_BASED_DIR64
#define DELTA           0x7FF000000000ULL
#define DELTA_BYTE      4
#else
typedef IMAGE_NT_HEADERS32 HEADERS;
#define MACHINE         IMAGE_FILE_MACHINE_I386
#define OTHER_MACHINE   IMAGE_FILE_MACHINE_AMD64
#define OTHER_MAGIC     IMAGE_NT_OPTIONAL_HDR64_MAGIC
#define RELOCATION      IMAGE_REL_BASED_HIGHLOW
#define DELTA           0x12340000ULL
#define DELTA_BYTE      2
#endif
#define WORD            (SAMPLE_BITS / 8)

static UCHAR *sample;                   /* the file as it is */
static UCHAR *copy;                     /* and one to change */
static SIZE_T sample_size;

static HEADERS *nt_of(UCHAR *file)
{
    return (HEADERS *)(file + ((IMAGE_DOS_HEADER *)file)->e_lfanew);
}

static HEADERS *nt(void)
{
    return nt_of(copy);
}

static IMAGE_SECTION_HEADER *section(const char *name)
{
    IMAGE_SECTION_HEADER *s = IMAGE_FIRST_SECTION(nt());

    for (ULONG i = 0; i < nt()->FileHeader.NumberOfSections; i++) {
        if (strncmp((const char *)s[i].Name, name, sizeof s->Name) == 0)
            return &s[i];
    }
    fail_msg("the sample has no %s", name);
    return NULL;
}

static int fresh_copy(void **state)
{
    (void)state;
    memcpy(copy, sample, sample_size);
    return 0;
}

static NTSTATUS parse(void)
{
    NTSTATUS status = pe_check(copy, sample_size);

    memcpy(copy, sample, sample_size);
    return status;
}

#define REFUSED(change, expected)                                          \
    do {                                                                   \
        change;                                                            \
        assert_int_equal((ULONG)parse(), (ULONG)(expected));               \
    } while (0)
#define BAD(change) REFUSED(change, STATUS_INVALID_IMAGE_FORMAT)
#define GOOD(change) REFUSED(change, STATUS_SUCCESS)

static void facts(void **state)
{
    struct rtl_pe pe;

    (void)state;
    assert_int_equal(rtl_pe_parse(copy, sample_size, &pe), STATUS_SUCCESS);
    assert_int_equal(pe.machine, MACHINE);
    assert_int_equal(pe.address_size, WORD);
    assert_int_equal(pe.size_of_image, nt()->OptionalHeader.SizeOfImage);
    assert_true(pe.preferred_base == nt()->OptionalHeader.ImageBase);
    assert_int_equal(pe.section_count, nt()->FileHeader.NumberOfSections);
    assert_int_equal(pe.section_alignment, PAGE_SIZE);
    assert_int_equal(pe.file_alignment, 0x200);
    assert_int_equal(pe.subsystem, IMAGE_SUBSYSTEM_WINDOWS_CUI);
    assert_true(pe.characteristics & IMAGE_FILE_DLL);
    assert_true(pe.entry_point >= 0x1000);
    assert_true(pe.exports.size > 0 && pe.relocations.size > 0);
    assert_true(pe.stack_reserve == nt()->OptionalHeader.SizeOfStackReserve);
    assert_true(pe.stack_commit == nt()->OptionalHeader.SizeOfStackCommit);
    assert_true(pe.stack_reserve >= pe.stack_commit && pe.stack_commit > 0);
    assert_ptr_equal(copy + pe.image_base_offset,
                     &nt()->OptionalHeader.ImageBase);
}

static void protections(void **state)
{
    struct rtl_pe pe;
    struct rtl_pe_section s;
    IMAGE_SECTION_HEADER *first = IMAGE_FIRST_SECTION(nt());

    (void)state;
    assert_int_equal(rtl_pe_parse(copy, sample_size, &pe), STATUS_SUCCESS);
    rtl_pe_section(copy, &pe, (ULONG)(section(".text") - first), &s);
    assert_true(s.readable && s.executable && !s.writable);
    rtl_pe_section(copy, &pe, (ULONG)(section(".rdata") - first), &s);
    assert_true(s.readable && !s.executable && !s.writable);
    rtl_pe_section(copy, &pe, (ULONG)(section(".bss") - first), &s);
    assert_true(s.readable && s.writable && !s.executable);
    assert_int_equal(s.file_size, 0);
    assert_true(s.virtual_size >= 12000);
}

static void exports(void **state)
{
    struct rtl_pe pe;
    ULONG sum = 0, zero = 0, none = 0;

    (void)state;
    assert_int_equal(rtl_pe_parse(copy, sample_size, &pe), STATUS_SUCCESS);
    assert_int_equal(rtl_pe_find_export(copy, &pe, "sample_sum", &sum), 0);
    assert_int_equal(rtl_pe_find_export(copy, &pe, "sample_zero", &zero), 0);
    assert_true(sum >= section(".text")->VirtualAddress && sum != zero);
    assert_int_equal(rtl_pe_find_export(copy, &pe, "sample_forward", &none),
                     STATUS_ENTRYPOINT_NOT_FOUND);
    assert_int_equal(rtl_pe_find_export(copy, &pe, "sample_su", &none),
                     STATUS_ENTRYPOINT_NOT_FOUND);
    assert_int_equal(rtl_pe_find_export(copy, &pe, "sample_sums", &none),
                     STATUS_ENTRYPOINT_NOT_FOUND);
}

static ULONGLONG word_at(const UCHAR *image, ULONGLONG at)
{
    ULONGLONG word = 0;

    memcpy(&word, image + at, WORD);
    return word;
}

/* Exactly the words that held addresses have moved, by delta. */
static void relocation(void **state)
{
    struct rtl_pe pe;
    UCHAR *before, *after;
    ULONG changed = 0;

    (void)state;
    assert_int_equal(rtl_pe_parse(copy, sample_size, &pe), STATUS_SUCCESS);
    before = pe_lay_out(copy, &pe);
    after = pe_lay_out(copy, &pe);
    assert_int_equal(rtl_pe_relocate(after, &pe, DELTA), STATUS_SUCCESS);
    for (ULONG at = DELTA_BYTE; at < pe.size_of_image; at++) {
        ULONGLONG word;
        if (before[at] == after[at])
            continue;
        word = word_at(before, at - DELTA_BYTE);
        assert_true(word_at(after, at - DELTA_BYTE) == word + DELTA);
        assert_true(word - pe.preferred_base < pe.size_of_image);
        at += WORD - DELTA_BYTE - 1;    /* to the word's last byte */
        changed++;
    }
    assert_true(changed >= 3);
    assert_int_equal(rtl_pe_relocate(after, &pe, 0 - DELTA), STATUS_SUCCESS);
    assert_memory_equal(before, after, pe.size_of_image);
    free(before);
    free(after);
}

/* One block of relocations, written over the sample's. */
static NTSTATUS relocate_with(ULONG page, ULONG block_size, USHORT entry)
{
    IMAGE_BASE_RELOCATION block = { page, block_size };
    struct rtl_pe pe;
    UCHAR *image;
    NTSTATUS status;

    rtl_pe_parse(sample, sample_size, &pe);
    image = pe_lay_out(sample, &pe);
    pe.relocations.size = 12;
    memcpy(image + pe.relocations.rva, &block, sizeof block);
    memcpy(image + pe.relocations.rva + 8, &entry, sizeof entry);
    memset(image + pe.relocations.rva + 10, 0, 2);
    status = rtl_pe_relocate(image, &pe, DELTA);
    free(image);
    return status;
}

static void hostile_relocations(void **state)
{
    const USHORT entry = RELOCATION << 12;
    ULONG end = nt_of(sample)->OptionalHeader.SizeOfImage;

    (void)state;
    assert_int_equal(relocate_with(0x1000, 12, entry), STATUS_SUCCESS);
    assert_int_equal(relocate_with(0x1000, 12, 0x0123), STATUS_SUCCESS);
    assert_int_equal(relocate_with(end - 0x1000, 12, entry | (0x1000 - WORD)),
                     STATUS_SUCCESS);
    for (ULONG type = 1; type < 16; type++) {
        if (type != RELOCATION)
            assert_int_equal(relocate_with(0x1000, 12, type << 12),
                             STATUS_INVALID_IMAGE_FORMAT);
    }
    for (ULONG offset = 0x1001 - WORD; offset < 0x1000; offset++)
        assert_int_equal(relocate_with(end - 0x1000, 12, entry | offset),
                         STATUS_INVALID_IMAGE_FORMAT);
    assert_int_equal(relocate_with(end, 12, entry),
                     STATUS_INVALID_IMAGE_FORMAT);
    assert_int_equal(relocate_with(0xFFFFF000, 12, entry | 0xFFF),
                     STATUS_INVALID_IMAGE_FORMAT);
    for (ULONG size = 0; size < 8; size++)
        assert_int_equal(relocate_with(0x1000, size, 0),
                         STATUS_INVALID_IMAGE_FORMAT);
    assert_int_equal(relocate_with(0x1000, 13, 0),
                     STATUS_INVALID_IMAGE_FORMAT);
    assert_int_equal(relocate_with(0x1000, ~0u, 0),
                     STATUS_INVALID_IMAGE_FORMAT);
}

static void dos_header(void **state)
{
    IMAGE_DOS_HEADER *dos = (IMAGE_DOS_HEADER *)copy;

    (void)state;
    REFUSED(dos->e_magic = 0x5A4C, STATUS_INVALID_IMAGE_NOT_MZ);
    REFUSED(memcpy(copy, "\x7F" "ELF", 4), STATUS_INVALID_IMAGE_NOT_MZ);
    BAD(dos->e_lfanew = -4);
    BAD(dos->e_lfanew = 0);
    BAD(dos->e_lfanew += 2);
    BAD(dos->e_lfanew = (LONG)sample_size);
    BAD(dos->e_lfanew = (LONG)sample_size - 8);
    BAD(dos->e_lfanew = 0x7FFFFFFC);
}

static void file_header(void **state)
{
    (void)state;
    BAD(nt()->Signature = 0x4550 | 1 << 16);
    BAD(nt()->FileHeader.Machine = OTHER_MACHINE);
    BAD(nt()->FileHeader.Machine = 0xAA64);
    BAD(nt()->FileHeader.NumberOfSections = 0xFFFF);
    BAD(nt()->FileHeader.NumberOfSections = 97);
    BAD(nt()->FileHeader.NumberOfSections--);
    BAD(nt()->FileHeader.SizeOfOptionalHeader = 0);
    BAD(nt()->FileHeader.SizeOfOptionalHeader =
            sizeof nt()->OptionalHeader - 1);
    BAD(nt()->FileHeader.SizeOfOptionalHeader = 0xFFFF);
    BAD(nt()->FileHeader.Characteristics &= ~IMAGE_FILE_EXECUTABLE_IMAGE);
}

static void optional_header(void **state)
{
    (void)state;
    BAD(nt()->OptionalHeader.Magic = OTHER_MAGIC);
    BAD(nt()->OptionalHeader.ImageBase += 0x1000);
    BAD(nt()->OptionalHeader.SectionAlignment = 0);
    BAD(nt()->OptionalHeader.SectionAlignment = 0x200);
    BAD(nt()->OptionalHeader.SectionAlignment = 0x1800);
    BAD(nt()->OptionalHeader.SectionAlignment = 0x80000000);
    BAD(nt()->OptionalHeader.FileAlignment = 0);
    BAD(nt()->OptionalHeader.FileAlignment = 0x300);
    BAD(nt()->OptionalHeader.FileAlignment = 0x2000);
    BAD(nt()->OptionalHeader.SizeOfImage = 0);
    BAD(nt()->OptionalHeader.SizeOfImage -= 0x1000);
    BAD(nt()->OptionalHeader.SizeOfImage += 0x1000);
    BAD(nt()->OptionalHeader.SizeOfImage = ~0u);
    BAD(nt()->OptionalHeader.SizeOfImage = 0x80000000);
    BAD(nt()->OptionalHeader.SizeOfHeaders = 0);
    BAD(nt()->OptionalHeader.SizeOfHeaders = 0x1001);
    BAD(nt()->OptionalHeader.SizeOfHeaders = ~0u);
    BAD(nt()->OptionalHeader.AddressOfEntryPoint =
            nt()->OptionalHeader.SizeOfImage);
    BAD(nt()->OptionalHeader.AddressOfEntryPoint = ~0u);
    GOOD(nt()->OptionalHeader.AddressOfEntryPoint = 0);
    GOOD(nt()->OptionalHeader.NumberOfRvaAndSizes = ~0u);
    GOOD(nt()->OptionalHeader.NumberOfRvaAndSizes = 0);
}

static void sections(void **state)
{
    (void)state;
    BAD(section(".text")->Characteristics |= IMAGE_SCN_MEM_WRITE);
    BAD(section(".data")->Characteristics |= IMAGE_SCN_MEM_EXECUTE);
    BAD(section(".data")->VirtualAddress += 0x1000);
    BAD(section(".data")->VirtualAddress -= 0x1000);
    BAD(section(".data")->VirtualAddress += 0x10);
    BAD(section(".data")->VirtualAddress = 0xFFFFF000);
    BAD(section(".text")->VirtualAddress = 0);
    BAD(section(".text")->Misc.VirtualSize = 0x7FFFFFFF);
    BAD(section(".text")->Misc.VirtualSize = ~0u);
    BAD(section(".bss")->Misc.VirtualSize = 0);
    BAD(section(".data")->PointerToRawData = (ULONG)sample_size);
    BAD(section(".data")->PointerToRawData = ~0u);
    GOOD(section(".data")->PointerToRawData = 0);
    GOOD(section(".data")->SizeOfRawData = 0);
    GOOD(section(".data")->Misc.VirtualSize = 0);
}

/* An export table that begins in the last bytes of the file. */
static void tables_past_the_end(void **state)
{
    IMAGE_SECTION_HEADER *last =
        IMAGE_FIRST_SECTION(nt()) + nt()->FileHeader.NumberOfSections - 1;
    ULONG raw = last->SizeOfRawData, rva = last->VirtualAddress;

    (void)state;
    assert_int_equal(last->PointerToRawData + raw, sample_size);
    for (ULONG left = 1; left < 41; left++) {
        IMAGE_DATA_DIRECTORY *exports =
            &nt()->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT];
        last->Misc.VirtualSize = raw;
        exports->VirtualAddress = rva + raw - left;
        exports->Size = 40;
        GOOD((void)0);
    }
}

/* Each field of each header, and every other two bytes of them. */
static void every_field(void **state)
{
    static const ULONG values[] = {
        0, 1, 2, 4, 8, 0x10, 0x7F, 0xFF, 0x100, 0x1FF, 0x200, 0xFFF, 0x1000,
        0x1001, 0x2000, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF,
        0x80000000, 0xFFFFF000, 0xFFFFFFFE, 0xFFFFFFFF,
    };
    ULONG end = nt()->OptionalHeader.SizeOfHeaders;

    (void)state;
    for (ULONG at = 0; at + 4 <= end; at += 2) {
        for (ULONG i = 0; i < ARRAY_SIZE(values); i++) {
            memcpy(copy + at, &values[i], i % 2 ? 4 : 2);
            parse();
        }
    }
}

/* The tables that the directories lead to. */
static void every_word_of_the_tables(void **state)
{
    static const char *const names[] = { ".edata", ".reloc" };
    static const ULONG values[] = { 0, 1, 0xFFFF, 0x10000, ~0u, 0xFFFFFFF8 };

    (void)state;
    for (ULONG n = 0; n < ARRAY_SIZE(names); n++) {
        ULONG first = section(names[n])->PointerToRawData;
        ULONG size = section(names[n])->Misc.VirtualSize;
        for (ULONG at = first; at < first + size - 4; at += 2) {
            for (ULONG i = 0; i < ARRAY_SIZE(values); i++) {
                memcpy(copy + at, &values[i], 4);
                parse();
            }
        }
    }
}

static void every_length(void **state)
{
    ULONGLONG last = 0;

    (void)state;
    for (SIZE_T size = 0; size < sample_size; size += size < 0x600 ? 1 : 37) {
        UCHAR *part = malloc(size ? size : 1);
        memcpy(part, sample, size);
        if (NT_SUCCESS(pe_check(part, size)))
            last = size;
        free(part);
    }
    assert_true(last == 0 || last > sample_size / 2);
}

static void random_changes(void **state)
{
    ULONGLONG seed = 61;
    ULONG headers = nt()->OptionalHeader.SizeOfHeaders;

    (void)state;
    for (ULONG i = 0; i < 20000; i++) {
        for (ULONG count = 1 + unit_random(&seed) % 3; count; count--)
            copy[unit_random(&seed) % (count & 1 ? headers : sample_size)] =
                (UCHAR)(unit_random(&seed) >> 8);
        parse();
    }
}

static void read_sample(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (!file) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    sample_size = (SIZE_T)ftell(file);
    rewind(file);
    sample = malloc(sample_size);
    copy = malloc(sample_size);
    if (fread(sample, 1, sample_size, file) != sample_size)
        exit(1);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(facts, fresh_copy),
        cmocka_unit_test_setup(protections, fresh_copy),
        cmocka_unit_test_setup(exports, fresh_copy),
        cmocka_unit_test_setup(relocation, fresh_copy),
        cmocka_unit_test_setup(hostile_relocations, fresh_copy),
        cmocka_unit_test_setup(dos_header, fresh_copy),
        cmocka_unit_test_setup(file_header, fresh_copy),
        cmocka_unit_test_setup(optional_header, fresh_copy),
        cmocka_unit_test_setup(sections, fresh_copy),
        cmocka_unit_test_setup(tables_past_the_end, fresh_copy),
        cmocka_unit_test_setup(every_field, fresh_copy),
        cmocka_unit_test_setup(every_word_of_the_tables, fresh_copy),
        cmocka_unit_test_setup(every_length, fresh_copy),
        cmocka_unit_test_setup(random_changes, fresh_copy),
    };
    int failed;

    read_sample(SAMPLE);
    failed = cmocka_run_group_tests_name(SAMPLE_BITS == 64 ? "pe" : "pe32",
                                         tests, NULL, NULL);
    free(sample);
    free(copy);
    return failed;
}
