/*
 * main.c - the shell: lines from the console, a command each, until exit.
 */
#include "shell.h"

NTSTATUS NtProcessStartup(PEB *peb)
{
    struct word words[MAX_WORDS];
    NTSTATUS status = console_open();
    char *line;
    int count;

    (void)peb;
    if (!NT_SUCCESS(status)) {
        print_failure("the console", status);
        return status;
    }
    print("\nThis is ring 3. \"help\" lists the commands.\n");
    while ((line = read_line()) != NULL) {
        count = split_words(line, words);
        if (count < 0)
            print("a quotation mark is missing, or these are too many "
                  "words\n");
        else if (count > 0)
            run_command(count, words);
    }
    return STATUS_SUCCESS;
}
