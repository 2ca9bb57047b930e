/*
 * kd/symbols.c - names for addresses.
 *
 * The symbol file is what a .pdb is to Windows: a boot file beside the
 * kernel, lines of "ffffffff80101234 T KiSystemCall64" in ascending order.
 * It is searched line by line: names are for logs and bugchecks.
 */
#include <kd.h>

#define ADDRESS_DIGITS 16
#define NAME_COLUMN 19

static const char *symbols, *symbols_end;

void kd_load_symbols(const char *bytes, SIZE_T size)
{
    symbols = bytes;
    symbols_end = bytes + size;
}

static ULONGLONG read_address(const char *line)
{
    ULONGLONG address = 0;

    for (ULONG i = 0; i < ADDRESS_DIGITS; i++)
        address = address << 4 | (line[i] <= '9' ? line[i] - '0'
                                                 : line[i] - 'a' + 10);
    return address;
}

const char *kd_symbol(ULONGLONG address, char name[KD_NAME_LENGTH],
                      ULONGLONG *offset)
{
    const char *best = NULL;
    ULONGLONG start = 0;
    ULONG length = 0;

    for (const char *at = symbols; at + NAME_COLUMN < symbols_end; at++) {
        ULONGLONG here = read_address(at);

        if (here > address)
            break;
        if (!best || here != start) {   /* of several names, the first */
            best = at;
            start = here;
        }
        while (at < symbols_end && *at != '\n')
            at++;
    }
    if (!best || address - start > 0x100000)
        return NULL;
    for (best += NAME_COLUMN; best < symbols_end && *best != '\n' &&
                              length < KD_NAME_LENGTH - 1; best++)
        name[length++] = *best;
    name[length] = 0;
    if (offset)
        *offset = address - start;
    return name;
}
