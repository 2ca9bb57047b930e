/*
 * forever.c - a program that somebody else has to end: tests/boot/test_shell.py
 * does, by Ctrl-C. Its word says what it does until then: spin, sleep, or
 * read lines and write them.
 */
#include "test.h"

static void sleep(void)
{
    LARGE_INTEGER delay = { .QuadPart = -0x7FFFFFFFFFFFFFFF };

    NtDelayExecution(FALSE, &delay);
}

static void read(void)
{
    HANDLE input = NtCurrentPeb()->ProcessParameters->StandardInput;
    IO_STATUS_BLOCK io;
    char line[80];

    if (NT_SUCCESS(NtReadFile(input, NULL, NULL, NULL, &io, line,
                              sizeof line, NULL, NULL)) && io.Information > 2)
        print("read: %.*s\n", (int)io.Information - 2, line);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const char *word = test_words();

    (void)peb;
    print("forever\n");
    for (;;) {
        if (!strcmp(word, "sleep"))
            sleep();
        else if (!strcmp(word, "read"))
            read();
    }
}
