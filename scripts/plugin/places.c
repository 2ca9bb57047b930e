/*
 * places.c - the kernel's addresses that a plugin must know (places.h).
 */
#include "places.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

struct place {
    uint64_t start, end;
    uint32_t kind;
};

static const struct {
    const char *word;
    uint32_t kind;
} kinds[] = {
    { "begin", PLACE_BEGIN },
    { "helper", PLACE_HELPER },
    { "probe", PLACE_PROBE },
    { "door", PLACE_DOOR },
    { "entry", PLACE_ENTRY },
    { "switch", PLACE_SWITCH },
    { "thread", PLACE_THREAD },
    { "calls-user", PLACE_CALLS_USER },
    { "called-user", PLACE_CALLED_USER },
    { "shadow", PLACE_SHADOW },
    { "user-tables", PLACE_USER_TABLES },
    { "leaves-tables", PLACE_LEAVES_TABLES },
    { "enters-tables", PLACE_ENTERS_TABLES },
    { "saves-tables", PLACE_SAVES_TABLES },
    { "restores-tables", PLACE_RESTORES_TABLES },
    { "service", PLACE_SERVICE },
};

static struct place *places;
static size_t count, room;

static uint32_t kind_of(const char *word)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!strcmp(kinds[i].word, word))
            return kinds[i].kind;
    }
    return 0;
}

static int add(const char *line)
{
    struct place place;
    char word[20];

    if (sscanf(line, "%19s %" SCNx64 " %" SCNx64, word, &place.start,
               &place.end) != 3 || !(place.kind = kind_of(word)))
        return 0;
    if (count == room) {
        room = 2 * room + 64;
        places = realloc(places, room * sizeof *places);
        if (!places)
            return 0;
    }
    places[count++] = place;
    return 1;
}

static const char *read_file(const char *path)
{
    FILE *file = path ? fopen(path, "r") : NULL;
    const char *wrong = NULL;
    char *line = NULL;
    size_t size = 0;

    if (!file)
        return "the file of places cannot be read";
    while (!wrong && getline(&line, &size, file) > 0) {
        if (!add(line))
            wrong = "the file of places has a line that is none";
    }
    free(line);
    fclose(file);
    return wrong;
}

const char *places_words(int argc, char **argv, const char **out)
{
    const char *places = NULL, *value;

    for (int i = 0; i < argc; i++) {
        if ((value = word(argv[i], "places=")))
            places = value;
        else if ((value = word(argv[i], "out=")))
            *out = value;
    }
    return *out ? read_file(places) : "out= is missing";
}

uint32_t places_at(uint64_t address)
{
    uint32_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (places[i].start <= address && address < places[i].end)
            found |= places[i].kind;
    }
    return found;
}
