/*
 * kd/symbols.c - names for addresses.
 *
 * The symbol file is what a .pdb is to Windows: a boot file beside the
 * kernel, lines of "ffffffff80101234 T KiSystemCall64" in ascending order.
 * Whoever looks for an address halves the file until a line is left.
 */
#include <kd.h>

#define ADDRESS_DIGITS 16
#define NAME_COLUMN 19
#define FARTHEST 0x100000               /* from its name an address may be */

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

/* The line that a byte of the file belongs to. */
static const char *line_of(const char *at)
{
    while (at > symbols && at[-1] != '\n')
        at--;
    return at;
}

static const char *line_after(const char *line)
{
    while (line < symbols_end && *line != '\n')
        line++;
    return line + 1;
}

/* The last line that is not above address: [low, high) has it. NULL: none. */
static const char *find_line(ULONGLONG address)
{
    const char *low = symbols, *high = symbols_end, *best = NULL;

    while (low + NAME_COLUMN < high) {
        const char *line = line_of(low + (high - low) / 2);

        if (line + NAME_COLUMN >= symbols_end ||
            read_address(line) > address) {
            high = line;
        } else {
            best = line;
            low = line_after(line);
        }
    }
    return best;
}

/* Of several names of one address the file's first. */
static const char *first_of(const char *line)
{
    const char *previous;

    while (line > symbols) {
        previous = line_of(line - 1);
        if (read_address(previous) != read_address(line))
            break;
        line = previous;
    }
    return line;
}

const char *kd_symbol(ULONGLONG address, char name[KD_NAME_LENGTH],
                      ULONGLONG *offset)
{
    const char *best = find_line(address);
    ULONGLONG start;
    ULONG length = 0;

    if (!best)
        return NULL;
    best = first_of(best);
    start = read_address(best);
    if (address - start > FARTHEST)
        return NULL;
    for (best += NAME_COLUMN; best < symbols_end && *best != '\n' &&
                              length < KD_NAME_LENGTH - 1; best++)
        name[length++] = *best;
    name[length] = 0;
    if (offset)
        *offset = address - start;
    return name;
}
