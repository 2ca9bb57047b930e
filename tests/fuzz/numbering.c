/*
 * numbering.c - fuzz target: any bytes as a numbering file.
 *
 * An accepted file gives every service a number of its own table, no two the
 * same; a refused one has a reason and a line that exists.
 */
#include <stdlib.h>

#include <ke/numbering.h>

#define MUST(condition)                 \
    do {                                \
        if (!(condition))               \
            abort();                    \
    } while (0)

static const struct ke_service services[] = {
    { "NtReadFile", NULL, 0x0006, 9, "" },
    { "NtClose", NULL, 0x000F, 1, "" },
    { "NtUserGetDC", NULL, 0x100A, 1, "" },
    { "NtGdiFlush", NULL, 0x1012, 0, "" },
};
#define COUNT ARRAY_SIZE(services)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_numbers(const USHORT *numbers)
{
    for (ULONG i = 0; i < COUNT; i++) {
        MUST(numbers[i] >> 12 == services[i].number >> 12);
        for (ULONG k = 0; k < i; k++)
            MUST(numbers[k] != numbers[i]);
    }
}

static ULONG count_lines(const uint8_t *data, size_t size)
{
    ULONG lines = 1;

    while (size--)
        lines += *data++ == '\n';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ke_numbering_result result;
    USHORT numbers[COUNT];

    if (ke_parse_numbering((const char *)data, size, services, COUNT, numbers,
                           &result)) {
        MUST(!result.error && result.used <= COUNT);
        check_numbers(numbers);
    } else {
        MUST(result.error && result.error_line <= count_lines(data, size));
    }
    return 0;
}
