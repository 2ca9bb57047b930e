/*
 * boot/efi/options.c - \ntwalk\options.txt: what can be booted.
 *
 *     # a comment
 *     timeout=5
 *     The tour | debug=on pagefile=4 -- tour.exe
 *     A shell  | -- shell.exe
 *
 * Left of the bar is what the menu shows, right of it the kernel's options.
 * The first one is taken after so many seconds; 0, or only one, is no menu.
 */
#include "efiload.h"

#define VALUE_LENGTH 32

static void add_entry(struct entries *entries, struct text title,
                      struct text options)
{
    if (entries->count == ENTRIES)
        give_up(OPTIONS_NAME L" has more than %d entries.", ENTRIES);
    if (options.length >= LOADER_OPTIONS_LENGTH)
        give_up(OPTIONS_NAME L": the options of entry %d are longer than %d "
                L"characters.", entries->count + 1, LOADER_OPTIONS_LENGTH - 1);
    entries->entry[entries->count++] = (struct entry){ title, options };
}

static void read_setting(struct entries *entries, struct text line)
{
    static const CHAR timeout[] = "timeout=";
    const UINTN length = sizeof timeout - 1;
    ULONGLONG value;

    if (line.length <= length || !is_word((struct text){ line.at, length },
                                          timeout) ||
        !read_number((struct text){ line.at + length, line.length - length },
                     10, &value) || value > 3600)
        give_up(OPTIONS_NAME L": a line is neither \"timeout=SECONDS\" nor "
                L"\"title | options\".");
    entries->timeout = value;
}

void read_options(struct entries *entries)
{
    struct efi_file file = read_file(OPTIONS_NAME);
    struct text rest = { (const CHAR *)file.bytes, file.size };

    while (rest.length) {
        struct text line = trim(next_line(&rest));
        UINTN bar = 0;

        if (!line.length || line.at[0] == '#')
            continue;
        while (bar < line.length && line.at[bar] != '|')
            bar++;
        if (bar == line.length)
            read_setting(entries, line);
        else
            add_entry(entries, trim((struct text){ line.at, bar }),
                      trim((struct text){ line.at + bar + 1,
                                          line.length - bar - 1 }));
    }
    if (!entries->count)
        give_up(OPTIONS_NAME L" has no entry.");
}

struct text take_option(CHAR *options, const CHAR *key)
{
    static CHAR value[VALUE_LENGTH];
    struct text rest = { options, strlena((const CHAR8 *)options) };
    UINTN length = strlena((const CHAR8 *)key);

    value[0] = 0;
    for (;;) {
        struct text word = next_word(&rest);

        if (!word.length || is_word(word, "--"))
            break;
        if (word.length > length && word.at[length] == '=' &&
            is_word((struct text){ word.at, length }, key)) {
            copy_text(value, sizeof value,
                      (struct text){ word.at + length + 1,
                                     word.length - length - 1 });
            SetMem((CHAR *)word.at, word.length, ' ');
        }
    }
    return (struct text){ value, strlena((const CHAR8 *)value) };
}
