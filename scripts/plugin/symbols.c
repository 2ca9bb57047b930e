/*
 * symbols.c - which function an instruction belongs to (symbols.h).
 */
#include "symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct symbol {
    uint64_t start;
    uint32_t flags;
};

struct image {
    uint64_t start, end;
    uint8_t *bytes;             /* NULL: any */
    uint32_t first, beyond;     /* its symbols */
    struct image *next;
};

static struct image *images;
static struct symbol *symbols;
static uint32_t count = 1, room;

static uint8_t *from_hex(const char *text, size_t size)
{
    uint8_t *bytes = malloc(size);

    for (size_t i = 0; bytes && i < size; i++) {
        if (sscanf(text + 2 * i, "%2" SCNx8, &bytes[i]) != 1) {
            free(bytes);
            return NULL;
        }
    }
    return bytes;
}

static int add_image(const char *line, struct image ***end)
{
    struct image *image = calloc(1, sizeof *image);
    int at = 0;

    if (!image || sscanf(line, "image %" SCNx64 " %" SCNx64 " %n",
                         &image->start, &image->end, &at) != 2 || !at ||
        image->end < image->start)
        return 0;
    if (line[at] != '-' &&
        !(image->bytes = from_hex(line + at, image->end - image->start)))
        return 0;
    image->first = image->beyond = count;
    **end = image;
    *end = &image->next;
    return 1;
}

static int add_symbol(const char *line, struct image *image)
{
    struct symbol symbol;

    if (!image || sscanf(line, "symbol %" SCNx64 " %" SCNx32, &symbol.start,
                         &symbol.flags) != 2)
        return 0;
    if (count >= room) {
        room = 2 * count + 1024;
        symbols = realloc(symbols, room * sizeof *symbols);
        if (!symbols)
            return 0;
    }
    symbols[count++] = symbol;
    image->beyond = count;
    return 1;
}

const char *symbols_read(const char *path)
{
    FILE *file = path ? fopen(path, "r") : NULL;
    struct image **end = &images, *image = NULL;
    const char *wrong = NULL;
    char *line = NULL;
    size_t size = 0;

    if (!file)
        return "the file of symbols cannot be read";
    while (!wrong && getline(&line, &size, file) > 0) {
        struct image **mine = end;

        if (*line == 'i' ? add_image(line, &end) : add_symbol(line, image))
            image = *line == 'i' ? *mine : image;
        else
            wrong = "the file of symbols has a line that is none";
    }
    free(line);
    fclose(file);
    return wrong;
}

static uint32_t find(const struct image *image, uint64_t address)
{
    uint32_t low = image->first, high = image->beyond;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (symbols[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low == image->first ? 0 : low - 1;
}

uint32_t symbol_of(uint64_t address, const uint8_t *bytes, size_t size)
{
    for (struct image *image = images; image; image = image->next) {
        uint64_t offset = address - image->start;

        if (address < image->start || address >= image->end ||
            size > image->end - address)
            continue;
        if (!image->bytes || !memcmp(image->bytes + offset, bytes, size))
            return find(image, address);
    }
    return 0;
}

uint32_t symbol_flags(uint32_t symbol)
{
    return symbol ? symbols[symbol].flags : 0;
}

uint64_t symbol_start(uint32_t symbol)
{
    return symbol ? symbols[symbol].start : 0;
}
