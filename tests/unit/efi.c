/*
 * efi.c - BOOTX64.EFI's own files, and a kernel, and what it says of those
 * that are damaged.  The firmware is this file.
 */
#include "unit.h"

#include "../../boot/efi/efiload.h"

#define KERNEL_VA 0xFFFFFFFF80100000ULL
#define ELF_SIZE 0x2000
#define FILES 8

EFI_BOOT_SERVICES *BS;
EFI_GUID GraphicsOutputProtocol;

static jmp_buf failed;
static char complaint[256];             /* give_up's format */
static ULONG allocated;
static void *allocations[64];
static struct {
    const char *name;                   /* without \ntwalk\ */
    const void *bytes;
    UINTN size;
} volume[FILES];
static ULONG file_count;

static void narrow(char *to, const CHAR16 *from)
{
    while ((*to++ = (char)*from++))
        continue;
}

void give_up(const CHAR16 *format, ...)
{
    narrow(complaint, format);
    longjmp(failed, 1);
}

void *allocate(UINTN size)
{
    void *pages = aligned_alloc(PAGE_SIZE, ALIGN_UP(size + 1, PAGE_SIZE));

    assert_true(allocated < ARRAY_SIZE(allocations));
    memset(pages, 0, ALIGN_UP(size + 1, PAGE_SIZE));
    return allocations[allocated++] = pages;
}

void *allocate_low(UINTN size)
{
    return allocate(size);
}

struct efi_file read_file(const CHAR16 *path)
{
    struct efi_file file;
    char name[256];

    narrow(name, path);
    assert_memory_equal(name, "\\ntwalk\\", 8);
    for (ULONG i = 0; i < file_count; i++) {
        if (strcmp(volume[i].name, name + 8) != 0)
            continue;
        file.size = volume[i].size;
        file.bytes = allocate(file.size);
        memcpy(file.bytes, volume[i].bytes, file.size);
        return file;
    }
    give_up(L"missing");
}

VOID CopyMem(VOID *to, const VOID *from, UINTN size)
{
    memcpy(to, from, size);
}

VOID SetMem(VOID *to, UINTN size, UINT8 byte)
{
    memset(to, byte, size);
}

INTN CompareMem(const VOID *a, const VOID *b, UINTN size)
{
    return memcmp(a, b, size);
}

UINTN strlena(const CHAR8 *text)
{
    return strlen((const char *)text);
}

UINTN StrLen(const CHAR16 *text)
{
    UINTN length = 0;

    while (text[length])
        length++;
    return length;
}

static EFI_STATUS EFIAPI crc32(VOID *data, UINTN size, UINT32 *result)
{
    UINT32 crc = ~0U;

    for (UINTN i = 0; i < size; i++) {
        crc ^= ((UINT8 *)data)[i];
        for (ULONG bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    *result = ~crc;
    return EFI_SUCCESS;
}

static void put(const char *name, const void *bytes, UINTN size)
{
    assert_true(file_count < FILES);
    volume[file_count].name = name;
    volume[file_count].bytes = bytes;
    volume[file_count++].size = size;
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

/* What is said when it fails; NULL: it does not. */
#define COMPLAINT(call) \
    (setjmp(failed) ? complaint : ((call), (const char *)NULL))

static int teardown(void **state)
{
    (void)state;
    while (allocated)
        free(allocations[--allocated]);
    file_count = 0;
    return 0;
}

static void check_text(struct text text, const char *expected)
{
    assert_int_equal(text.length, strlen(expected));
    assert_memory_equal(text.at, expected, text.length);
}

/* ---- text.c */

static struct text text_of(const char *text)
{
    return (struct text){ text, strlen(text) };
}

static void test_lines_and_words(void **state)
{
    struct text rest = text_of("one  two\t3\r\n\n last"), line;

    (void)state;
    line = next_line(&rest);
    check_text(trim(line), "one  two\t3");
    check_text(next_word(&line), "one");
    check_text(next_word(&line), "two");
    check_text(next_word(&line), "3");
    check_text(next_word(&line), "");
    check_text(next_line(&rest), "");
    check_text(trim(next_line(&rest)), "last");
    assert_int_equal(rest.length, 0);
    check_text(next_line(&rest), "");
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        ULONG base;
        ULONGLONG value;
    } good[] = {
        { "0", 10, 0 }, { "18446744073709551615", 10, ~0ULL },
        { "fFfFffff", 16, 0xFFFFFFFF }, { "007", 8, 7 },
    };
    static const struct {
        const char *text;
        ULONG base;
    } bad[] = {
        { "", 10 }, { "1a", 10 }, { "-1", 10 }, { "g", 16 }, { "@", 16 },
        { "18446744073709551616", 10 }, { "10000000000000000", 16 },
        { "8", 8 }, { "1 ", 10 },
    };
    ULONGLONG value;

    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(good); i++) {
        assert_true(read_number(text_of(good[i].text), good[i].base, &value));
        assert_int_equal(value, good[i].value);
    }
    for (ULONG i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(read_number(text_of(bad[i].text), bad[i].base, &value));
}

static void test_widen(void **state)
{
    static const CHAR16 expected[] = { 'a', 0xE4, 0x20AC, 0 };
    CHAR16 wide[8];
    CHAR narrow_text[4];

    (void)state;
    widen(wide, 8, text_of("a\xC3\xA4\xE2\x82\xAC"));
    assert_memory_equal(wide, expected, sizeof expected);
    widen(wide, 3, text_of("abcd"));
    assert_int_equal(wide[2], 0);
    widen(wide, 8, text_of("\xE2\x82"));        /* cut off */
    assert_int_equal(wide[1], 0);
    copy_text(narrow_text, 4, text_of("abcdef"));
    assert_string_equal(narrow_text, "abc");
}

/* ---- options.c */

static const char *options_complaint(const char *text)
{
    static struct entries entries;

    memset(&entries, 0, sizeof entries);
    file_count = 0;
    put_text("options.txt", text);
    return COMPLAINT(read_options(&entries));
}

static void test_options(void **state)
{
    struct entries entries = { 0 };

    (void)state;
    put_text("options.txt", "# what there is\r\ntimeout=5\r\n\r\n"
             "The tour | debug=on -- tour.exe a|b \r\nA shell|-- shell.exe");
    read_options(&entries);
    assert_int_equal(entries.count, 2);
    assert_int_equal(entries.timeout, 5);
    check_text(entries.entry[0].title, "The tour");
    check_text(entries.entry[0].options, "debug=on -- tour.exe a|b");
    check_text(entries.entry[1].title, "A shell");
    check_text(entries.entry[1].options, "-- shell.exe");
}

static void test_bad_options(void **state)
{
    char many[ENTRIES * 8 + 32] = "", long_line[LOADER_OPTIONS_LENGTH + 32];

    (void)state;
    assert_non_null(strstr(options_complaint(""), "no entry"));
    assert_non_null(strstr(options_complaint("# a | b"), "no entry"));
    assert_non_null(strstr(options_complaint("timeout="), "neither"));
    assert_non_null(strstr(options_complaint("timeout=x"), "neither"));
    assert_non_null(strstr(options_complaint("timeout=3601"), "neither"));
    assert_non_null(strstr(options_complaint("time=1"), "neither"));
    assert_non_null(strstr(options_complaint("tour.exe"), "neither"));
    assert_non_null(strstr(options_complaint("t"), "neither"));
    for (ULONG i = 0; i < ENTRIES; i++)
        strcat(many, "a | b\n");
    assert_null(options_complaint(many));
    strcat(many, "a | b\n");
    assert_non_null(strstr(options_complaint(many), "more than"));
    strcpy(long_line, "a | ");
    memset(long_line + 4, 'x', LOADER_OPTIONS_LENGTH);
    long_line[4 + LOADER_OPTIONS_LENGTH - 1] = 0;
    assert_null(options_complaint(long_line));
    long_line[4 + LOADER_OPTIONS_LENGTH - 1] = 'x';
    long_line[4 + LOADER_OPTIONS_LENGTH] = 0;
    assert_non_null(strstr(options_complaint(long_line), "longer"));
}

static void test_take_option(void **state)
{
    CHAR options[] = "a=1 video=800x600 b=2 -- x video=none";

    (void)state;
    check_text(take_option(options, "video"), "800x600");
    assert_string_equal(options, "a=1               b=2 -- x video=none");
    check_text(take_option(options, "video"), "");
    check_text(take_option(options, "vide"), "");
    check_text(take_option(options, "a"), "1");
}

/* ---- files.c */

static const char *files_complaint(const char *list,
                                   LOADER_PARAMETER_BLOCK *block)
{
    memset(block, 0, sizeof *block);
    file_count = 0;
    put_text("files.txt", list);
    put_text("ntoskrnl.elf", "123456789");
    put_text("System32\\a.exe", "");
    put_text("numbering.txt", "123456789");
    return COMPLAINT(read_files(block));
}

#define KERNEL_LINE "cbf43926 9 ntoskrnl.elf\n"

static void test_files(void **state)
{
    static LOADER_PARAMETER_BLOCK block;

    (void)state;
    assert_null(files_complaint("# list\n" KERNEL_LINE "00000000 0 System32/"
                                "a.exe\r\ncbf43926 9 numbering.txt", &block));
    assert_int_equal(block.module_count, 2);
    assert_string_equal(block.modules[0].name, "a.exe");
    assert_int_equal(block.modules[0].size, 0);
    assert_string_equal(block.modules[1].name, "numbering.txt");
    assert_int_equal(block.modules[1].size, 9);
    assert_memory_equal((void *)block.modules[1].base, "123456789", 9);
}

static void test_damaged_files(void **state)
{
    static LOADER_PARAMETER_BLOCK block;
    static const struct {
        const char *list, *said;
    } cases[] = {
        { "", "does not name" },
        { "cbf43926 9 numbering.txt", "does not name" },
        { KERNEL_LINE "00000000 0 System32/b.exe", "missing" },
        { "cbf43927 9 ntoskrnl.elf", "CRC-32" },
        { "cbf43926 8 ntoskrnl.elf", "bytes" },
        { "cbf43926 9 ", "line" },
        { "ntoskrnl.elf", "line" },
        { "x 9 ntoskrnl.elf", "line" },
        { "cbf43926 9x ntoskrnl.elf", "line" },
    };

    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *said = files_complaint(cases[i].list, &block);

        assert_non_null(said);
        if (!strstr(said, cases[i].said))
            fail_msg("%s: %s", cases[i].list, said);
        teardown(NULL);
    }
}

static void test_more_files_than_fit(void **state)
{
    static LOADER_PARAMETER_BLOCK block;

    (void)state;
    block.module_count = LOADER_MODULES - 1;
    put_text("files.txt", KERNEL_LINE "00000000 0 System32/a.exe\n"
             "00000000 0 System32/a.exe\n00000000 0 System32/a.exe\n");
    put_text("ntoskrnl.elf", "123456789");
    put_text("System32\\a.exe", "");
    read_files(&block);
    assert_int_equal(block.module_count, LOADER_MODULES);
    assert_int_equal(block.modules_left_out, 2);
}

/* ---- kernel.c: GRUB's segment, code, data; two symbols. */

struct elf {
    struct {
        UCHAR ident[16];
        USHORT type, machine;
        ULONG version;
        ULONGLONG entry, segments, sections;
        ULONG flags;
        USHORT size, segment_size, segment_count, section_size, section_count,
            names;
    } header;
    struct {
        ULONG type, flags;
        ULONGLONG offset, va, physical, file_size, size, alignment;
    } segment[3];
    struct {
        ULONG name, type;
        ULONGLONG flags, va, offset, size;
        ULONG link, info;
        ULONGLONG alignment, entry_size;
    } section[2];
    struct {
        ULONG name;
        UCHAR info, other;
        USHORT section;
        ULONGLONG value, size;
    } symbol[2];
    char names[64];
    char code[16];
};

static struct elf sample(void)
{
    struct elf elf = { 0 };

    memcpy(elf.header.ident, "\x7F" "ELF\2\1\1", 7);
    elf.header.machine = 62;
    elf.header.segments = offsetof(struct elf, segment);
    elf.header.segment_size = sizeof elf.segment[0];
    elf.header.segment_count = 3;
    elf.header.sections = offsetof(struct elf, section);
    elf.header.section_size = sizeof elf.section[0];
    elf.header.section_count = 2;
    for (ULONG i = 0; i < 3; i++) {
        elf.segment[i].type = 1;
        elf.segment[i].offset = offsetof(struct elf, code);
        elf.segment[i].file_size = sizeof elf.code;
        elf.segment[i].size = 0x1234;
        elf.segment[i].va = KERNEL_VA + i * 0x3000;
        elf.segment[i].flags = 4 + i;
    }
    elf.segment[0].va = 0x100000;
    elf.section[0].type = 2;
    elf.section[0].link = 1;
    elf.section[0].offset = offsetof(struct elf, symbol);
    elf.section[0].size = sizeof elf.symbol;
    elf.section[1].offset = offsetof(struct elf, names);
    elf.section[1].size = sizeof elf.names;
    strcpy(elf.names, "KiSystemStartup");
    strcpy(elf.names + 16, "ki_idle_stack_top");
    elf.symbol[1].name = 16;
    elf.symbol[0].value = KERNEL_VA + 0x3004;
    elf.symbol[1].value = KERNEL_VA + 0x7000;
    strcpy(elf.code, "code and data");
    return elf;
}

static const char *load(struct elf *elf, UINTN size, struct kernel *kernel)
{
    memset(kernel, 0, sizeof *kernel);
    return COMPLAINT(load_kernel((struct efi_file){ (UCHAR *)elf, size },
                                 kernel));
}

static void test_kernel(void **state)
{
    struct elf elf = sample();
    struct kernel kernel;

    (void)state;
    assert_null(load(&elf, sizeof elf, &kernel));
    assert_int_equal(kernel.va, KERNEL_VA + 0x3000);
    assert_int_equal(kernel.size, 0x5000);
    assert_int_equal(kernel.entry, KERNEL_VA + 0x3004);
    assert_int_equal(kernel.stack, KERNEL_VA + 0x7000);
    assert_int_equal(kernel.count, 2);
    assert_int_equal(kernel.segment[0].size, 0x2000);
    assert_true(kernel.segment[0].executable && !kernel.segment[0].writable);
    assert_true(kernel.segment[1].writable && !kernel.segment[1].executable);
    assert_string_equal((char *)kernel.physical, elf.code);
    assert_string_equal((char *)kernel.physical + 0x3000, elf.code);
    assert_int_equal(((char *)kernel.physical)[sizeof elf.code], 0);
}

/* Each field that is asked, with one lie. */
static void test_no_kernel(void **state)
{
    struct kernel kernel;

    (void)state;
#define LIE(change) do {                                                \
        struct elf elf = sample();                                      \
                                                                        \
        change;                                                         \
        if (!load(&elf, sizeof elf, &kernel))                           \
            fail_msg("%s", #change);                                    \
        teardown(NULL);                                                 \
    } while (0)
    LIE(elf.header.ident[0] = 0);
    LIE(elf.header.ident[4] = 1);
    LIE(elf.header.machine = 3);
    LIE(elf.header.segment_size--);
    LIE(elf.header.section_size++);
    LIE(elf.header.segments = sizeof elf);
    LIE(elf.header.segments = ~0ULL);
    LIE(elf.header.segment_count = 0xFFFF);
    LIE(elf.header.segment_count = 1);
    LIE(elf.header.sections = ~0ULL - 8);
    LIE(elf.header.section_count = 0x7FFF);
    LIE(elf.header.section_count = 0);
    LIE(elf.segment[1].va++);
    LIE(elf.segment[1].size = ~0ULL);
    LIE(elf.segment[1].va = ~0ULL << 12);
    LIE(elf.segment[1].file_size = 0x1235);
    LIE(elf.segment[2].offset = sizeof elf - 1);
    LIE(elf.segment[2].offset = ~0ULL);
    LIE(elf.section[0].type = 3);
    LIE(elf.section[0].link = 2);
    LIE(elf.section[0].offset = ~0ULL);
    LIE(elf.section[0].size = 0x10000);
    LIE(elf.section[1].offset = sizeof elf);
    LIE(elf.section[1].size = ~0ULL);
    LIE(elf.section[1].size = 16);
    LIE(elf.symbol[1].name = 0xFFFFFFFF);
    LIE(elf.names[0] = 'x');
#undef LIE
}

static void test_short_kernel(void **state)
{
    struct elf elf = sample();
    struct kernel kernel;

    (void)state;
    for (UINTN size = 0; size < sizeof elf; size++) {
        UCHAR *copy = malloc(size + !size);

        memcpy(copy, &elf, size);
        assert_non_null(load((struct elf *)copy, size, &kernel));
        free(copy);
        teardown(NULL);
    }
}

/* ---- video.c */

static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION modes[] = {
    { 0, 800, 600, PixelBlueGreenRedReserved8BitPerColor, { 0 }, 832 },
    { 0, 4096, 4096, PixelBltOnly, { 0 }, 4096 },
    { 0, 1920, 1080, PixelRedGreenBlueReserved8BitPerColor, { 0 }, 1920 },
    { 0, 1024, 768, PixelBitMask, { 0x7C00, 0x3E0, 0x1F, 0x8000 }, 1024 },
};
static EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode;
static EFI_GRAPHICS_OUTPUT_PROTOCOL gop;
static BOOLEAN has_screen;

static EFI_STATUS EFIAPI query_mode(
    EFI_GRAPHICS_OUTPUT_PROTOCOL *this, UINT32 number, UINTN *size,
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **information)
{
    (void)this;
    *size = sizeof modes[number];
    *information = malloc(*size);
    **information = modes[number];
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI switch_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *this,
                                     UINT32 number)
{
    this->Mode->Mode = number;
    this->Mode->Info = &modes[number];
    return EFI_SUCCESS;
}

EFI_STATUS LibLocateProtocol(EFI_GUID *protocol, VOID **interface)
{
    assert_ptr_equal(protocol, &GraphicsOutputProtocol);
    *interface = &gop;
    return has_screen ? EFI_SUCCESS : EFI_NOT_FOUND;
}

VOID FreePool(VOID *pool)
{
    free(pool);
}

static struct loader_framebuffer video(const char *word)
{
    static LOADER_PARAMETER_BLOCK block;

    memset(&block, 0, sizeof block);
    mode = (EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE){
        ARRAY_SIZE(modes), 0, &modes[0], sizeof modes[0], 0x400000000000, 0 };
    gop = (EFI_GRAPHICS_OUTPUT_PROTOCOL){ query_mode, switch_mode, NULL,
                                          &mode };
    choose_video(&block, text_of(word));
    return block.framebuffer;
}

static void test_video(void **state)
{
    struct loader_framebuffer screen;

    (void)state;
    has_screen = TRUE;
    screen = video("");
    assert_int_equal(screen.address, 0x400000000000);
    assert_int_equal(screen.width, 1920);
    assert_int_equal(screen.height, 1080);
    assert_int_equal(screen.pitch, 1920 * 4);
    assert_int_equal(screen.bits_per_pixel, 32);
    assert_int_equal(screen.red_shift, 0);
    assert_int_equal(screen.blue_shift, 16);
    screen = video("800x600");
    assert_int_equal(screen.pitch, 832 * 4);
    assert_int_equal(screen.red_shift, 16);
    assert_int_equal(screen.red_bits, 8);
    screen = video("1024x768");
    assert_int_equal(screen.bits_per_pixel, 16);
    assert_int_equal(screen.red_shift, 10);
    assert_int_equal(screen.green_bits, 5);
    assert_int_equal(screen.pitch, 1024 * 2);
    assert_int_equal(video("640x480").width, 1920);
    assert_int_equal(video("800").width, 1920);
    assert_int_equal(video("800x").width, 1920);
    assert_int_equal(video("4096x4096").width, 1920);
    assert_int_equal(video("none").address, 0);
    has_screen = FALSE;
    assert_int_equal(video("").address, 0);
}

int main(void)
{
    static EFI_BOOT_SERVICES services;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_and_words),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_widen),
        cmocka_unit_test_teardown(test_options, teardown),
        cmocka_unit_test_teardown(test_bad_options, teardown),
        cmocka_unit_test(test_take_option),
        cmocka_unit_test_teardown(test_files, teardown),
        cmocka_unit_test_teardown(test_damaged_files, teardown),
        cmocka_unit_test_teardown(test_more_files_than_fit, teardown),
        cmocka_unit_test_teardown(test_kernel, teardown),
        cmocka_unit_test(test_no_kernel),
        cmocka_unit_test(test_short_kernel),
        cmocka_unit_test(test_video),
    };

    services.CalculateCrc32 = crc32;
    BS = &services;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
